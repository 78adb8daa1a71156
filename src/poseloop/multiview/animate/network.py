"""The animation denoiser: a U-Net over the frames of a sequence, with motion modules.

Built of diffusers' pieces in the order of AnimateDiff's blocks, which MIMO uses (fact sheet DrPose
2): residual block, attention in space with cross-attention to the reference picture, motion module,
that is attention of every place over the frames.
"""

import torch
import torch.nn.functional as F
from diffusers.models.attention import BasicTransformerBlock
from diffusers.models.embeddings import TimestepEmbedding, Timesteps
from diffusers.models.resnet import ResnetBlock2D
from diffusers.models.unets.unet_motion_model import AnimateDiffTransformer3D
from torch import nn
from torch.utils.checkpoint import checkpoint

from poseloop.multiview.animate.conditioning import PoseGuider, ReferenceEncoder
from poseloop.multiview.animate.config import AnimatorConfig

_TIME_CHANNELS = 64


class AnimationBlock(nn.Module):
    """Residual block, spatial and reference attention, motion module at one resolution."""

    def __init__(self, in_channels: int, channels: int, config: AnimatorConfig) -> None:
        super().__init__()
        head = channels // config.heads
        self.residual = ResnetBlock2D(
            in_channels=in_channels,
            out_channels=channels,
            temb_channels=4 * config.channels[0],
            groups=config.norm_groups,
            eps=1e-5,
        )
        self.spatial = BasicTransformerBlock(
            channels, config.heads, head, cross_attention_dim=channels
        )
        self.motion = AnimateDiffTransformer3D(
            config.heads,
            head,
            channels,
            norm_num_groups=config.norm_groups,
            positional_embeddings="sinusoidal",
            num_positional_embeddings=config.motion_frames,
        )
        # A motion module starts as no change (AnimateDiff, Guo et al. 2024, section 4.2).
        nn.init.zeros_(self.motion.proj_out.weight)
        nn.init.zeros_(self.motion.proj_out.bias)

    def forward(
        self, hidden: torch.Tensor, embedding: torch.Tensor, reference: torch.Tensor, frames: int
    ) -> torch.Tensor:
        """(B*F, C, h, w), embeddings (B*F, E), reference tokens (B*F, L, C') to (B*F, C', h, w)."""
        hidden = self.residual(hidden, embedding)
        layout = hidden.shape
        tokens = self.spatial(hidden.flatten(2).transpose(1, 2), encoder_hidden_states=reference)
        return self.motion(tokens.transpose(1, 2).reshape(layout), num_frames=frames)


class AnimationDenoiser(nn.Module):
    """Predict v for all frames of a sequence together."""

    def __init__(self, config: AnimatorConfig) -> None:
        super().__init__()
        self.patch = config.patch
        self.checkpointing = config.gradient_checkpointing
        channels, blocks, levels = config.channels, config.blocks, len(config.channels)
        token_channels = config.latent_channels * config.patch**2
        self.time_features = Timesteps(_TIME_CHANNELS, flip_sin_to_cos=True, downscale_freq_shift=0)
        self.time_embedding = TimestepEmbedding(_TIME_CHANNELS, 4 * channels[0])
        self.guider = PoseGuider(config)
        self.reference = ReferenceEncoder(config)
        self.conv_in = nn.Conv2d(2 * token_channels, channels[0], 3, padding=1)
        self.down_stages = nn.ModuleList(
            nn.ModuleList(AnimationBlock(width, width, config) for _ in range(blocks[level]))
            for level, width in enumerate(channels)
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
            nn.ModuleList(
                AnimationBlock(channels[level] * (1 if index else 2), channels[level], config)
                for index in range(blocks[level])
            )
            for level in range(levels - 1)
        )
        self.norm_out = nn.GroupNorm(config.norm_groups, channels[0])
        self.conv_out = nn.Conv2d(channels[0], token_channels, 3, padding=1)
        self.noise_gate = nn.Conv2d(channels[0], token_channels, 1)
        for layer in (self.conv_out, self.noise_gate):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(
        self,
        latents: torch.Tensor,
        timesteps: torch.Tensor,
        reference_latents: torch.Tensor,
        parts: torch.Tensor,
    ) -> torch.Tensor:
        """Predict v.

        Parameters
        ----------
        latents : (B, F, C, h, w) noisy latents
        timesteps : (B,) integer timesteps
        reference_latents : (B, C, h, w) latents of the reference picture; zeros stand for none
        parts : (B, F, 3, S, S) part-coloured renders of the frames' poses, in [-1, 1]

        Returns
        -------
        (B, F, C, h, w)
        """
        clips, frames = latents.shape[:2]
        given = reference_latents[:, None].expand_as(latents)
        tokens = F.pixel_unshuffle(torch.cat([latents, given], dim=2).flatten(0, 1), self.patch)
        hidden = self.conv_in(tokens) + self.guider(parts.flatten(0, 1))
        embedding = self.time_embedding(self.time_features(timesteps))
        embedding = embedding.repeat_interleave(frames, dim=0)
        references = [
            level.repeat_interleave(frames, dim=0) for level in self.reference(reference_latents)
        ]

        skips = []
        for level, stage in enumerate(self.down_stages):
            hidden = self._run(stage, hidden, embedding, references[level], frames)
            if level < len(self.down_convs):
                skips.append(hidden)
                hidden = self.down_convs[level](hidden)
        for level in reversed(range(len(self.up_convs))):
            hidden = self.up_convs[level](F.interpolate(hidden, scale_factor=2.0))
            hidden = torch.cat([hidden, skips[level]], dim=1)
            hidden = self._run(self.up_stages[level], hidden, embedding, references[level], frames)
        hidden = F.silu(self.norm_out(hidden))
        # The noise to be told apart reaches the output by a gate, as in the multi-view denoiser.
        noisy = F.pixel_unshuffle(latents.flatten(0, 1), self.patch)
        hidden = self.conv_out(hidden) + self.noise_gate(hidden) * noisy
        return F.pixel_shuffle(hidden, self.patch).unflatten(0, (clips, frames))

    def _run(
        self,
        stage: nn.ModuleList,
        hidden: torch.Tensor,
        embedding: torch.Tensor,
        reference: torch.Tensor,
        frames: int,
    ) -> torch.Tensor:
        for block in stage:
            if self.checkpointing and torch.is_grad_enabled():
                hidden = checkpoint(
                    block, hidden, embedding, reference, frames, use_reentrant=False
                )
            else:
                hidden = block(hidden, embedding, reference, frames)
        return hidden
