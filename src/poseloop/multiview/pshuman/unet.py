"""The U-Net of PSHuman and Era3D on current diffusers, in this library's layout of views.

Stable Diffusion 2.1 unCLIP's U-Net with eight input channels, whose self-attention spans the normal
and the colour map of a slot, with attention along image rows across views after it (fact sheet
DrPose 4.1). The released code arranges a batch as normal maps first, colour images after; here a
subject is (slots, 2, ...), modality 0 the normal map, which is the same computation.
"""

import torch
import torch.nn.functional as F
from diffusers.models.embeddings import TimestepEmbedding, Timesteps
from torch import nn

from poseloop.multiview.pshuman.camera import CameraRegression
from poseloop.multiview.pshuman.config import UNetConfig
from poseloop.multiview.pshuman.stages import DownStage, MiddleStage, UpStage


class MultiViewUNet(nn.Module):
    """Predict v for all slots and modalities of a subject together."""

    def __init__(self, config: UNetConfig) -> None:
        super().__init__()
        self.config = config
        width, embedding = config.channels[0], 4 * config.channels[0]
        levels = range(len(config.channels))
        self.conv_in = nn.Conv2d(2 * config.latent_channels, width, 3, padding=1)
        self.time_features = Timesteps(width, flip_sin_to_cos=True, downscale_freq_shift=0)
        self.time_embedding = TimestepEmbedding(width, embedding)
        self.picture_embedding = TimestepEmbedding(config.picture_channels, embedding)
        self.down_blocks = nn.ModuleList(DownStage(level, config) for level in levels)
        self.mid_block = MiddleStage(config)
        self.camera = CameraRegression(config) if config.regressed else None
        self.up_blocks = nn.ModuleList(UpStage(level, config) for level in reversed(levels))
        self.conv_norm_out = nn.GroupNorm(config.norm_groups, width, eps=1e-5)
        self.conv_out = nn.Conv2d(width, config.latent_channels, 3, padding=1)

    def forward(
        self,
        latents: torch.Tensor,
        timesteps: torch.Tensor,
        image_latents: torch.Tensor,
        picture: torch.Tensor,
        prompts: torch.Tensor,
    ) -> torch.Tensor:
        """Predict v.

        Parameters
        ----------
        latents : (B, slots, 2, C, h, w) noisy latents; axis 2 is normal, colour
        timesteps : (B,) or, one for each modality, (B, 2)
        image_latents : (B, slots, C, h, w) latents of the picture that a slot is given: the whole
            input for a view, its enlarged window for the face
        picture : (B, slots, P) CLIP embeddings of these pictures, with the code of the noise level
        prompts : (slots, 2, L, D) token embeddings of the fixed prompts

        Returns
        -------
        (B, slots, 2, C, h, w)
        """
        layout = latents.shape[:3]
        given = image_latents[:, :, None].expand_as(latents)
        embedding = self._embed(timesteps, picture).flatten(0, 2)
        prompts = prompts.expand(layout[0], *prompts.shape).flatten(0, 2)

        hidden = self.conv_in(torch.cat([latents, given], dim=3).flatten(0, 2))
        kept = [hidden]
        for stage in self.down_blocks:
            hidden, more = stage(hidden, embedding, prompts)
            kept.extend(more)
        hidden = self.mid_block(hidden, embedding, prompts)
        if self.camera is not None:
            _, told = self.camera(hidden.unflatten(0, layout))
            embedding = embedding + told.repeat_interleave(layout[1] * layout[2], dim=0)
        for stage in self.up_blocks:
            hidden = stage(hidden, kept, embedding, prompts)
        hidden = self.conv_out(F.silu(self.conv_norm_out(hidden)))
        return hidden.unflatten(0, layout)

    def _embed(self, timesteps: torch.Tensor, picture: torch.Tensor) -> torch.Tensor:
        """Time and picture as one embedding (B, slots, 2, E)."""
        modalities = timesteps[:, None].expand(-1, 2) if timesteps.dim() == 1 else timesteps
        features = self.time_features(modalities.flatten()).to(picture.dtype)
        time = self.time_embedding(features).unflatten(0, modalities.shape)
        return time[:, None] + self.picture_embedding(picture)[:, :, None]
