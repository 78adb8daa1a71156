"""JointScore: a reward on joints, beside PoseScore's on skeleton maps.

Reviewers asked for a reward by a human pose estimator (fact sheet DrPose 1.2). It has PoseScore's
latents, network, readings and augmentation and differs in what it compares: a joint is the mean of
its heat map, and the reward is minus its distance from the true joint in the image.
"""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import nn

from poseloop.body.joints import JOINT_NAMES
from poseloop.render.skeleton import project_views
from poseloop.reward.config import PoseScoreConfig
from poseloop.reward.posescore import SkeletonPredictor, presence
from poseloop.runtime.rebuilding import rebuilding
from poseloop.runtime.weights import load_into, read_weights

# Distances count in tenths of an image, which gives them the size of a Dice distance.
_UNIT = 0.1


def soft_argmax(logits: torch.Tensor) -> torch.Tensor:
    """Mean positions (..., 2) of heat maps (..., S, S), x right and y up in [-0.5, 0.5]."""
    size = logits.shape[-1]
    centres = (torch.arange(size, device=logits.device, dtype=logits.dtype) + 0.5) / size - 0.5
    weights = logits.flatten(-2).softmax(-1).unflatten(-1, (size, size))
    x = (weights.sum(-2) * centres).sum(-1)
    y = -(weights.sum(-1) * centres).sum(-1)
    return torch.stack([x, y], -1)


class JointScore(nn.Module):
    """The reward: heat maps of a view's joints, their means, and the distance to the true ones.

    Parameters
    ----------
    config : PoseScore's
    mirrored : views mirrored in the model's layout
    """

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
        self.predictor = SkeletonPredictor(config, latent_channels, latent_size)
        head = self.predictor.conv_out
        self.predictor.conv_out = nn.Conv2d(
            head.in_channels, len(JOINT_NAMES) * self.predictor.upscale**2, 3, padding=1
        )

    def targets(self, joints: torch.Tensor) -> torch.Tensor:
        """(B, 24, 3) joints, normalised view frame, to image joints (B, V, 24, 2)."""
        joints2d = project_views(joints, self.config.azimuths).clone()
        joints2d[:, list(self.mirrored), :, 0] *= -1
        return joints2d

    def distance(
        self, latents: torch.Tensor, joints: torch.Tensor, seen: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Mean distance (B,) of image joints, in tenths of the image.

        Parameters
        ----------
        latents : (B, V, 2, C, h, w)
        joints : (B, 24, 3) normalised view frame
        seen : (B, 2) the reading of each subject; by default the mean over all readings
        """
        targets = self.targets(joints)
        readings = presence(self.config.readings)[:, None] if seen is None else seen[None]
        distances = []
        for reading in readings:
            read = latents * reading.to(latents.device).view(-1, 1, 2, 1, 1, 1)
            found = soft_argmax(self.predictor(read))
            # The root is smooth at zero, where a joint is found exactly.
            squared = (found - targets).square().sum(-1)
            distances.append((squared + 1e-6).sqrt().mean((1, 2)) / _UNIT)
        return torch.stack(distances).mean(0)

    def forward(self, latents: torch.Tensor, joints: torch.Tensor) -> torch.Tensor:
        """Reward (B,), 0 at best."""
        return -self.distance(latents, joints)


def load_jointscore(path: str | Path, device: torch.device) -> JointScore:
    """The reward, frozen, in evaluation mode.

    Raises
    ------
    UserError
        The file is missing or holds other weights.
    """
    state, metadata = read_weights(path)
    with rebuilding(path, state):
        jointscore = JointScore(
            PoseScoreConfig.model_validate(metadata["posescore"]),
            metadata["latent_channels"],
            metadata["latent_size"],
            metadata["mirrored_views"],
        )
    load_into(jointscore, state, path)
    jointscore = jointscore.to(device, memory_format=torch.channels_last)
    return jointscore.eval().requires_grad_(False)
