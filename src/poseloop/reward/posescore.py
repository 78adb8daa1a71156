"""PoseScore: a differentiable reward on latents (fact sheet DrPose 1.2).

A frozen U-Net reads the latents of a view and predicts the skeleton maps of that view, with no
decoding to pixels. It reads normal and colour together or one without the other, whose place is
then zero, the mean of latents. The reward is minus the distance to the maps of the true joints,
in mean over the configured readings; the paper does not say what its predictor reads.
"""

from collections.abc import Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from diffusers.models.resnet import ResnetBlock2D
from torch import nn

from poseloop.body.joints import BONES
from poseloop.multiview.views import COLOUR, NORMAL, mirror_views
from poseloop.render.skeleton import project_views, skeleton_maps
from poseloop.reward.config import DistanceConfig, PoseScoreConfig, SkeletonConfig
from poseloop.reward.distance import skeleton_distance
from poseloop.runtime.rebuilding import rebuilding
from poseloop.runtime.weights import load_into, read_weights, write_weights


def presence(readings: Sequence[Sequence[str]]) -> torch.Tensor:
    """Which modalities each reading sees: (R, 2) of 0 and 1."""
    seen = torch.zeros(len(readings), 2)
    for row, reading in zip(seen, readings, strict=True):
        row[[{"normal": NORMAL, "colour": COLOUR}[name] for name in reading]] = 1
    return seen


def draw_readings(
    readings: Sequence[Sequence[str]], size: int, generator: torch.Generator
) -> torch.Tensor:
    """Presence (size, 2) of a reading drawn for each of `size` subjects."""
    return presence(readings)[torch.randint(len(readings), (size,), generator=generator)]


class SkeletonPredictor(nn.Module):
    """U-Net from the latents of one view to 23 skeleton maps (g_skel of the paper)."""

    def __init__(self, config: PoseScoreConfig, latent_channels: int, latent_size: int) -> None:
        super().__init__()
        channels = config.channels
        self.upscale = config.skeleton.size // latent_size

        def block(in_channels: int, out_channels: int) -> ResnetBlock2D:
            return ResnetBlock2D(
                in_channels=in_channels,
                out_channels=out_channels,
                temb_channels=None,
                groups=config.norm_groups,
                eps=1e-5,
            )

        self.conv_in = nn.Conv2d(2 * latent_channels, channels[0], 3, padding=1)
        self.down = nn.ModuleList(
            block(channels[max(level - 1, 0)], width) for level, width in enumerate(channels)
        )
        self.up = nn.ModuleList(
            block(channels[level] + channels[level + 1], channels[level])
            for level in range(len(channels) - 1)
        )
        self.norm_out = nn.GroupNorm(config.norm_groups, channels[0])
        self.conv_out = nn.Conv2d(channels[0], len(BONES) * self.upscale**2, 3, padding=1)

    def forward(self, latents: torch.Tensor) -> torch.Tensor:
        """(..., 2, C, h, w) latents of views to logits (..., 23, S, S)."""
        leading = latents.shape[:-4]
        hidden = self.conv_in(latents.flatten(-4, -3).flatten(0, -4))
        skips = []
        for level, block in enumerate(self.down):
            hidden = block(F.avg_pool2d(hidden, 2) if level else hidden, None)
            skips.append(hidden)
        for level in reversed(range(len(self.up))):
            hidden = F.interpolate(hidden, scale_factor=2.0)
            hidden = self.up[level](torch.cat([hidden, skips[level]], dim=1), None)
        logits = self.conv_out(F.silu(self.norm_out(hidden)))
        return F.pixel_shuffle(logits, self.upscale).unflatten(0, leading)


def target_maps(
    joints: torch.Tensor,
    azimuths: Sequence[float],
    mirrored: Sequence[int],
    skeleton: SkeletonConfig,
) -> torch.Tensor:
    """Skeleton maps of true joints, in the model's layout of views.

    Parameters
    ----------
    joints : (B, 24, 3) normalised view frame
    azimuths : V degrees
    mirrored : views that the model sees mirrored; their maps are mirrored too

    Returns
    -------
    (B, V, 23, S, S) in [0, 1]
    """
    joints2d = project_views(joints, azimuths)
    maps = skeleton_maps(joints2d, skeleton.size, skeleton.radius, skeleton.softness)
    return mirror_views(maps, mirrored, view_dim=1)


class PoseScore(nn.Module):
    """The reward: predictor, target maps and distance together.

    Parameters
    ----------
    mirrored : views mirrored in the model's layout; a property of the base that is judged
    """

    stream = "posescore"

    def __init__(
        self,
        config: PoseScoreConfig,
        latent_channels: int,
        latent_size: int,
        mirrored: Sequence[int],
    ) -> None:
        super().__init__()
        self.config = config
        self.mirrored = tuple(mirrored)
        self.latents = (latent_channels, latent_size)
        self.predictor = SkeletonPredictor(config, latent_channels, latent_size)

    def targets(self, joints: torch.Tensor) -> torch.Tensor:
        """(B, 24, 3) joints to maps (B, V, 23, S, S)."""
        return target_maps(joints, self.config.azimuths, self.mirrored, self.config.skeleton)

    def apart(
        self, predicted: torch.Tensor, targets: torch.Tensor, distance: DistanceConfig
    ) -> torch.Tensor:
        """Distance (B,) of what the predictor says from its targets."""
        return skeleton_distance(predicted, targets, distance)

    def distance(
        self,
        latents: torch.Tensor,
        joints: torch.Tensor,
        seen: torch.Tensor | None = None,
        distance: DistanceConfig | None = None,
    ) -> torch.Tensor:
        """Distance (B,) of latents to the skeletons of joints.

        Parameters
        ----------
        latents : (B, V, 2, C, h, w)
        joints : (B, 24, 3) normalised view frame
        seen : (B, 2) the reading of each subject; by default the mean over all readings
        distance : by default the one of its own training
        """
        targets = self.targets(joints)
        readings = presence(self.config.readings)[:, None] if seen is None else seen[None]
        distances = [
            self.apart(
                self.predictor(latents * reading.to(latents.device).view(-1, 1, 2, 1, 1, 1)),
                targets,
                distance or self.config.distance,
            )
            for reading in readings
        ]
        return torch.stack(distances).mean(0)

    def forward(
        self,
        latents: torch.Tensor,
        joints: torch.Tensor,
        distance: DistanceConfig | None = None,
        seen: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Reward (B,), 0 at best; the distance is by default the one of its own training."""
        return -self.distance(latents, joints, seen, distance)

    def save(self, path: str | Path) -> None:
        """Write weights and configuration."""
        channels, size = self.latents
        settings = {
            "posescore": self.config.model_dump(),
            "latent_channels": channels,
            "latent_size": size,
            "mirrored_views": list(self.mirrored),
        }
        write_weights(path, self.state_dict(), settings)


def load_posescore(
    path: str | Path, device: torch.device, kind: type[PoseScore] = PoseScore
) -> PoseScore:
    """The reward that `save` wrote, frozen, in evaluation mode.

    Raises
    ------
    UserError
        The file is missing or holds other weights.
    """
    state, metadata = read_weights(path)
    with rebuilding(path, state):
        posescore = kind(
            PoseScoreConfig.model_validate(metadata["posescore"]),
            metadata["latent_channels"],
            metadata["latent_size"],
            metadata["mirrored_views"],
        )
    load_into(posescore, state, path)
    posescore = posescore.to(device, memory_format=torch.channels_last)
    return posescore.eval().requires_grad_(False)
