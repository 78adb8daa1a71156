"""An independent pose judge: joint heat maps of single views, joined in space.

The judge shares nothing with the reward: it reads decoded pictures, not latents, has its own
training scans, and finds 3D joints, not skeleton pictures. A joint regressor on the features of
all views is a poor judge of dynamic poses (180 mm on true pictures, design.md); single views and
triangulation leave no room to guess a likely pose.
"""

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from diffusers.models.downsampling import Downsample2D
from diffusers.models.resnet import ResnetBlock2D
from diffusers.models.unets.unet_2d_blocks import UNetMidBlock2D
from diffusers.models.upsampling import Upsample2D
from torch import nn

from poseloop.evaluate.views import image_axes

JOINTS = 24


_GRID = 4
_DEPTH_WIDTH = 64


class Judge(nn.Module):
    """U-Net from one picture to the log-probabilities of each joint's place and depth.

    The trunk works at a quarter of the picture's resolution and below, where nearly all of its
    arithmetic is; a pixel shuffle brings the maps to half of it. Depth matters for left and
    right: a side view shows which way a body faces, but both hips at one place; only through
    their depths can it tell the front view which hip is the left one.

    Parameters
    ----------
    channels : sequence of int
        Width of each level, finest first.
    blocks : int
        Residual blocks a level on the way down; one on the way up.
    bins : int
        Bins of depth.
    """

    def __init__(self, channels: Sequence[int], blocks: int, bins: int) -> None:
        super().__init__()
        self.settings = {"channels": list(channels), "blocks": blocks, "bins": bins}
        # Mean and standard deviation of bone lengths in the training scans, normalised units.
        self.register_buffer("bones", torch.zeros(JOINTS - 1, 2))
        first = channels[0]
        self.stem = nn.Sequential(
            nn.Conv2d(6, first // 2, 5, stride=2, padding=2),
            nn.SiLU(),
            nn.Conv2d(first // 2, first, 3, stride=2, padding=1),
        )
        self.down, self.up = nn.ModuleList(), nn.ModuleList()
        for level, width in enumerate(channels):
            stage = nn.ModuleList()
            if level:
                stage.append(
                    Downsample2D(channels[level - 1], use_conv=True, out_channels=width, name="op")
                )
            stage.extend(_residual(width, width) for _ in range(blocks))
            self.down.append(stage)
        # Left and right are told apart by the whole picture: attention over the coarsest level.
        self.middle = UNetMidBlock2D(
            in_channels=channels[-1],
            temb_channels=None,
            attention_head_dim=min(32, channels[-1]),
            resnet_groups=8,
        )
        for fine, coarse in zip(channels[-2::-1], channels[:0:-1], strict=True):
            stage = nn.ModuleList()
            stage.append(Upsample2D(coarse, use_conv=False))
            stage.append(_residual(coarse + fine, fine))
            self.up.append(stage)
        self.head = nn.Sequential(
            nn.GroupNorm(8, first),
            nn.SiLU(),
            nn.Conv2d(first, 4 * first, 1),
            nn.PixelShuffle(2),
            nn.SiLU(),
            nn.Conv2d(first, JOINTS, 1),
        )
        self.depth = nn.Sequential(
            nn.GroupNorm(8, channels[-1]),
            nn.SiLU(),
            nn.Conv2d(channels[-1], _DEPTH_WIDTH, 1),
            nn.Flatten(),
            nn.Linear(_DEPTH_WIDTH * _GRID**2, JOINTS * bins),
            nn.Unflatten(1, (JOINTS, bins)),
        )

    def forward(self, pictures: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Log-probabilities over pixels and over depths.

        Parameters
        ----------
        pictures : (B, 6, S, S) tensor
            From `judge_input`; S a multiple of ``16 * 2 ** (levels - 1)``.

        Returns
        -------
        heat : (B, 24, S / 2, S / 2) tensor
            ``exp`` sums to one over each map.
        depth : (B, 24, bins) tensor
            From the nearest depth, 0.5 towards the camera, to the farthest, -0.5.
        """
        x = self.stem(pictures)
        skips = []
        for stage in self.down:
            for layer in stage:
                x = layer(x, None) if isinstance(layer, ResnetBlock2D) else layer(x)
            skips.append(x)
        skips.pop()
        x = self.middle(x)
        cell = x.shape[-1] // _GRID
        pooled = x.unflatten(3, (_GRID, cell)).unflatten(2, (_GRID, cell)).mean((3, 5))
        depth = self.depth(pooled).log_softmax(-1)
        for upsample, residual in self.up:
            x = residual(torch.cat([upsample(x), skips.pop()], 1), None)
        heat = self.head(x)
        return F.log_softmax(heat.flatten(2), -1).view_as(heat), depth


def _residual(before: int, after: int) -> ResnetBlock2D:
    return ResnetBlock2D(in_channels=before, out_channels=after, temb_channels=None, groups=8)


def judge_input(rgb: np.ndarray, normal: np.ndarray, azimuths: np.ndarray) -> torch.Tensor:
    """What the judge sees of every view: colours, and normals turned into the view's own camera.

    With camera-frame normals every view looks as if it were the input view, so that one network
    serves all and does not need to know the azimuth.

    Parameters
    ----------
    rgb, normal : (..., K, S, S, 3) uint8 arrays
        Normals in the input-view frame, background 128.
    azimuths : (K,) array
        Degrees.

    Returns
    -------
    (..., K, 6, S, S) float32 tensor
        In [-1, 1].
    """
    axes = torch.from_numpy(image_axes(azimuths)).float()
    colour = torch.from_numpy(rgb).float() / 127.5 - 1
    vectors = torch.from_numpy(normal).float() / 127.5 - 1
    turned = torch.einsum("kij,...krcj->...kirc", axes, vectors)
    return torch.cat([colour.movedim(-1, -3), turned], -3)
