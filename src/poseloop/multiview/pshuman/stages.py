"""Stages of the U-Net: residual blocks and transformers at one resolution, on diffusers' blocks."""

import torch
import torch.nn.functional as F
from diffusers.models.resnet import ResnetBlock2D
from torch import nn
from torch.utils.checkpoint import checkpoint

from poseloop.multiview.pshuman.config import UNetConfig
from poseloop.multiview.pshuman.transformer import Transformer


def _residual(in_channels: int, out_channels: int, config: UNetConfig) -> ResnetBlock2D:
    return ResnetBlock2D(
        in_channels=in_channels,
        out_channels=out_channels,
        temb_channels=4 * config.channels[0],
        groups=config.norm_groups,
        eps=1e-5,
    )


class _Stage(nn.Module):
    """Residual blocks, each but those of the coarsest resolution followed by a transformer."""

    def __init__(self, in_channels: list[int], level: int, config: UNetConfig) -> None:
        super().__init__()
        channels, heads = config.channels[level], config.heads[level]
        self.checkpointing = config.gradient_checkpointing
        self.resnets = nn.ModuleList(_residual(width, channels, config) for width in in_channels)
        self.attentions = nn.ModuleList()
        if level < len(config.channels) - 1:
            self.attentions.extend(Transformer(channels, heads, config) for _ in in_channels)

    def _run(self, module: nn.Module, *arguments: torch.Tensor) -> torch.Tensor:
        if self.checkpointing and torch.is_grad_enabled():
            return checkpoint(module, *arguments, use_reentrant=False)
        return module(*arguments)

    def _block(
        self, index: int, hidden: torch.Tensor, embedding: torch.Tensor, prompts: torch.Tensor
    ) -> torch.Tensor:
        hidden = self._run(self.resnets[index], hidden, embedding)
        if self.attentions:
            hidden = self._run(self.attentions[index], hidden, prompts)
        return hidden


class DownStage(_Stage):
    """One resolution on the way down; every block's output is kept for the way up."""

    def __init__(self, level: int, config: UNetConfig) -> None:
        channels = config.channels
        inner = [channels[level]] * (config.blocks - 1)
        super().__init__([channels[max(level - 1, 0)], *inner], level, config)
        last = level == len(channels) - 1
        self.downsample = (
            None if last else nn.Conv2d(channels[level], channels[level], 3, stride=2, padding=1)
        )

    def forward(
        self, hidden: torch.Tensor, embedding: torch.Tensor, prompts: torch.Tensor
    ) -> tuple[torch.Tensor, list[torch.Tensor]]:
        """New features, at half the resolution unless this is the coarsest, and what to keep."""
        kept = []
        for index in range(len(self.resnets)):
            hidden = self._block(index, hidden, embedding, prompts)
            kept.append(hidden)
        if self.downsample is not None:
            hidden = self.downsample(hidden)
            kept.append(hidden)
        return hidden, kept


class MiddleStage(nn.Module):
    """Residual block, transformer, residual block at the coarsest resolution."""

    def __init__(self, config: UNetConfig) -> None:
        super().__init__()
        channels = config.channels[-1]
        self.resnets = nn.ModuleList(_residual(channels, channels, config) for _ in range(2))
        self.attentions = nn.ModuleList([Transformer(channels, config.heads[-1], config)])

    def forward(
        self, hidden: torch.Tensor, embedding: torch.Tensor, prompts: torch.Tensor
    ) -> torch.Tensor:
        """New features of the same shape."""
        hidden = self.resnets[0](hidden, embedding)
        hidden = self.attentions[0](hidden, prompts)
        return self.resnets[1](hidden, embedding)


class UpStage(_Stage):
    """One resolution on the way up; takes back what the way down kept, last first."""

    def __init__(self, level: int, config: UNetConfig) -> None:
        channels = config.channels
        below = channels[min(level + 1, len(channels) - 1)]
        running = [below] + [channels[level]] * config.blocks
        kept = [channels[level]] * config.blocks + [channels[max(level - 1, 0)]]
        super().__init__([a + b for a, b in zip(running, kept, strict=True)], level, config)
        self.upsample = nn.Conv2d(channels[level], channels[level], 3, padding=1) if level else None

    def forward(
        self,
        hidden: torch.Tensor,
        kept: list[torch.Tensor],
        embedding: torch.Tensor,
        prompts: torch.Tensor,
    ) -> torch.Tensor:
        """New features, at twice the resolution unless this is the finest; empties what it uses."""
        for index in range(len(self.resnets)):
            hidden = torch.cat([hidden, kept.pop()], dim=1)
            hidden = self._block(index, hidden, embedding, prompts)
        if self.upsample is not None:
            hidden = self.upsample(F.interpolate(hidden, scale_factor=2.0))
        return hidden
