"""The multi-view denoiser: a U-Net over six views and two modalities of one subject.

Built from diffusers' residual blocks and time embeddings, with PSHuman's structure (fact sheet
DrPose 4.1): image latents concatenated to the noisy latents, joint attention over modalities,
attention across views, one embedding for each view and modality. The face slot is left out.
"""

import torch
import torch.nn.functional as F
from diffusers.models.embeddings import TimestepEmbedding, Timesteps
from diffusers.models.resnet import ResnetBlock2D
from torch import nn
from torch.utils.checkpoint import checkpoint

from poseloop.multiview.attention import MultiViewBlock
from poseloop.multiview.config import DenoiserConfig

_TIME_CHANNELS = 64


class _Stage(nn.Module):
    """Residual and multi-view blocks at one resolution."""

    def __init__(self, in_channels: int, level: int, config: DenoiserConfig) -> None:
        super().__init__()
        channels = config.channels[level]
        self.checkpointing = False
        self.residual = nn.ModuleList()
        self.mixing = nn.ModuleList()
        for index in range(config.blocks[level]):
            self.residual.append(
                ResnetBlock2D(
                    in_channels=channels if index else in_channels,
                    out_channels=channels,
                    temb_channels=4 * config.channels[0],
                    groups=config.norm_groups,
                    eps=1e-5,
                )
            )
            self.mixing.append(
                MultiViewBlock(channels, config.heads, config.multiview_attention[level])
            )

    def forward(self, hidden: torch.Tensor, embedding: torch.Tensor, views: int) -> torch.Tensor:
        for block in zip(self.residual, self.mixing, strict=True):
            if self.checkpointing and torch.is_grad_enabled():
                hidden = checkpoint(_mixed, block, hidden, embedding, views, use_reentrant=False)
            else:
                hidden = _mixed(block, hidden, embedding, views)
        return hidden


def _mixed(
    block: tuple[nn.Module, nn.Module], hidden: torch.Tensor, embedding: torch.Tensor, views: int
) -> torch.Tensor:
    residual, mixing = block
    return mixing(residual(hidden, embedding), views)


class MultiViewDenoiser(nn.Module):
    """Predict v for all views and modalities of a subject together."""

    def __init__(self, config: DenoiserConfig) -> None:
        super().__init__()
        self.patch = config.patch
        channels, levels = config.channels, len(config.channels)
        embedding_channels = 4 * channels[0]
        token_channels = config.latent_channels * config.patch**2
        self.time_features = Timesteps(_TIME_CHANNELS, flip_sin_to_cos=True, downscale_freq_shift=0)
        self.time_embedding = TimestepEmbedding(_TIME_CHANNELS, embedding_channels)
        self.view_embedding = nn.Parameter(torch.randn(config.views, 1, embedding_channels))
        self.modality_embedding = nn.Parameter(torch.randn(1, 2, embedding_channels))
        self.conv_in = nn.Conv2d(2 * token_channels, channels[0], 3, padding=1)
        self.down_stages = nn.ModuleList(
            _Stage(channels[level], level, config) for level in range(levels)
        )
        self.down_convs = nn.ModuleList(
            nn.Conv2d(channels[level], channels[level + 1], 3, stride=2, padding=1)
            for level in range(levels - 1)
        )
        self.up_convs = nn.ModuleList(
            nn.Conv2d(channels[level + 1], channels[level], 3, padding=1)
            for level in range(levels - 1)
        )
        self.up_stages = nn.ModuleList(
            _Stage(2 * channels[level], level, config) for level in range(levels - 1)
        )
        self.norm_out = nn.GroupNorm(config.norm_groups, channels[0])
        self.conv_out = nn.Conv2d(channels[0], token_channels, 3, padding=1)
        self.skip_gate = nn.Conv2d(channels[0], 2 * token_channels, 1)
        for layer in (self.conv_out, self.skip_gate):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def checkpoint_stages(self, on: bool) -> None:
        """Keep no activations within a block for the backward pass, but make them again."""
        for stage in (*self.down_stages, *self.up_stages):
            stage.checkpointing = on

    def forward(
        self, latents: torch.Tensor, timesteps: torch.Tensor, image_latents: torch.Tensor
    ) -> torch.Tensor:
        """Predict v.

        Parameters
        ----------
        latents : (B, V, 2, C, h, w) noisy latents; axis 2 is normal, colour
        timesteps : (B,) integer timesteps
        image_latents : (B, C, h, w) latents of the input picture; zeros stand for none

        Returns
        -------
        (B, V, 2, C, h, w)
        """
        subjects, views = latents.shape[:2]
        condition = image_latents[:, None, None].expand_as(latents)
        hidden = torch.cat([latents, condition], dim=3).flatten(0, 2)
        tokens = F.pixel_unshuffle(hidden, self.patch)
        tokens = tokens.contiguous(memory_format=torch.channels_last)
        hidden = self.conv_in(tokens)

        embedding = self.time_embedding(self.time_features(timesteps))[:, None, None]
        embedding = embedding + self.view_embedding + self.modality_embedding
        embedding = embedding.flatten(0, 2)

        skips = []
        for level, stage in enumerate(self.down_stages):
            hidden = stage(hidden, embedding, views)
            if level < len(self.down_convs):
                skips.append(hidden)
                hidden = self.down_convs[level](hidden)
        for level in reversed(range(len(self.up_convs))):
            hidden = self.up_convs[level](F.interpolate(hidden, scale_factor=2.0))
            hidden = self.up_stages[level](
                torch.cat([hidden, skips[level]], dim=1), embedding, views
            )
        hidden = F.silu(self.norm_out(hidden))
        # The noise to be told apart, and what the input picture shows already, reach the output
        # by gates: the few channels of the network are left to carry the rest.
        noisy, given = (self.skip_gate(hidden) * tokens).chunk(2, dim=1)
        hidden = F.pixel_shuffle(self.conv_out(hidden) + noisy + given, self.patch)
        return hidden.unflatten(0, (subjects, views, 2))
