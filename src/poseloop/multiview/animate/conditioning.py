"""What the denoiser is told: the pose of every frame, and the person of the reference picture."""

import torch
import torch.nn.functional as F
from diffusers.models.downsampling import Downsample2D
from diffusers.models.resnet import ResnetBlock2D
from torch import nn

from poseloop.multiview.animate.config import AnimatorConfig


class PoseGuider(nn.Module):
    """Part-coloured body renders to features of the finest tokens.

    A few convolutions, as in Animate Anyone (Hu 2024, section 3.2). Theirs ends in zeros because
    it joins a network that is trained already; here nothing is.
    """

    def __init__(self, config: AnimatorConfig) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        before = 3
        for width in config.guider_channels:
            layers += [
                nn.Conv2d(before, width, 3, padding=1),
                nn.SiLU(),
                nn.Conv2d(width, width, 4, stride=2, padding=1),
                nn.GroupNorm(config.guider_groups, width),
                nn.SiLU(),
            ]
            before = width
        self.layers = nn.Sequential(*layers, nn.Conv2d(before, config.channels[0], 3, padding=1))

    def forward(self, parts: torch.Tensor) -> torch.Tensor:
        """(N, 3, S, S) renders in [-1, 1] to (N, C, s, s), s the side of the finest tokens."""
        return self.layers(parts)


class ReferenceEncoder(nn.Module):
    """The reference picture's latent to features of every resolution of the denoiser.

    The reference net of MIMO and Animate Anyone is a copy of the whole U-Net; its way down is
    what fits here.
    """

    def __init__(self, config: AnimatorConfig) -> None:
        super().__init__()
        self.patch = config.patch
        channels = config.channels
        self.conv_in = nn.Conv2d(
            config.latent_channels * config.patch**2, channels[0], 3, padding=1
        )
        self.down = nn.ModuleList(
            Downsample2D(channels[level - 1], use_conv=True, out_channels=width, name="op")
            if level
            else nn.Identity()
            for level, width in enumerate(channels)
        )
        self.residual = nn.ModuleList(
            ResnetBlock2D(
                in_channels=width, out_channels=width, temb_channels=None, groups=config.norm_groups
            )
            for width in channels
        )
        self.norm = nn.ModuleList(nn.LayerNorm(width) for width in channels)

    def forward(self, reference: torch.Tensor) -> list[torch.Tensor]:
        """(B, C, h, w) latents to tokens (B, L, channels) of every resolution, finest first."""
        hidden = self.conv_in(F.pixel_unshuffle(reference, self.patch))
        tokens = []
        for down, residual, norm in zip(self.down, self.residual, self.norm, strict=True):
            hidden = residual(down(hidden), None)
            tokens.append(norm(hidden.flatten(2).transpose(1, 2)))
        return tokens
