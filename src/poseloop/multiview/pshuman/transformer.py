"""The transformer of one resolution: attention over modalities, views and prompt.

Order and kinds are PSHuman's `BasicMVTransformerBlock` of `transformer_mv2d_self_rowwise.py` (read
in its source; fact sheet DrPose 4.1). Era3D's is the same without the face (read in a public copy
of its code).
"""

import torch
from diffusers.models.attention import FeedForward
from torch import nn

from poseloop.multiview.pshuman.attention import Attention, blend_face
from poseloop.multiview.pshuman.config import UNetConfig


class MultiViewBlock(nn.Module):
    """Joint attention, row-wise attention, attention to the prompt, feed-forward.

    Each reads its input through a layer norm and adds its output to it.
    """

    def __init__(self, channels: int, heads: int, config: UNetConfig) -> None:
        super().__init__()
        self.views, self.face = config.views, config.face
        self.joint_norm = nn.LayerNorm(channels)
        self.joint_attention = Attention(channels, heads)
        self.row_norm = nn.LayerNorm(channels)
        self.row_attention = Attention(channels, heads)
        # As in training from Stable Diffusion's weights: views first ignore each other.
        nn.init.zeros_(self.row_attention.to_out.weight)
        self.prompt_norm = nn.LayerNorm(channels)
        self.prompt_attention = Attention(channels, heads, config.prompt_channels)
        self.feed_forward_norm = nn.LayerNorm(channels)
        self.feed_forward = FeedForward(channels, activation_fn="geglu")

    def forward(self, tokens: torch.Tensor, prompts: torch.Tensor) -> torch.Tensor:
        """Tokens (B, slots, 2, h, w, C) and prompts (B*slots*2, L, D) to new tokens."""
        tokens = tokens + self._joint(self.joint_norm(tokens))
        body, face = tokens[:, : self.views], tokens[:, self.views :]
        body = body + self._rows(self.row_norm(body))
        tokens = torch.cat([body, face], dim=1)
        flat = self.prompt_norm(tokens).flatten(3, 4).flatten(0, 2)
        tokens = tokens + self.prompt_attention(flat, prompts).view(tokens.shape)
        return tokens + self.feed_forward(self.feed_forward_norm(tokens))

    def _joint(self, tokens: torch.Tensor) -> torch.Tensor:
        """Mix the tokens of both modalities of a slot; blend the face into the front view."""
        mixed = self.joint_attention(tokens.flatten(2, 4).flatten(0, 1)).view(tokens.shape)
        return blend_face(mixed) if self.face else mixed

    def _rows(self, tokens: torch.Tensor) -> torch.Tensor:
        """Mix the tokens of one image row over the views, each modality by itself."""
        rows = tokens.permute(0, 2, 3, 1, 4, 5)
        mixed = self.row_attention(rows.flatten(3, 4).flatten(0, 2)).view(rows.shape)
        return mixed.permute(0, 3, 1, 2, 4, 5)


class Transformer(nn.Module):
    """Blocks on a feature map, between two projections, added to it."""

    def __init__(self, channels: int, heads: int, config: UNetConfig) -> None:
        super().__init__()
        self.slots = config.slots
        self.norm = nn.GroupNorm(config.norm_groups, channels, eps=1e-6)
        self.proj_in = nn.Linear(channels, channels)
        self.blocks = nn.ModuleList([MultiViewBlock(channels, heads, config)])
        self.proj_out = nn.Linear(channels, channels)

    def forward(self, features: torch.Tensor, prompts: torch.Tensor) -> torch.Tensor:
        """Features (B*slots*2, C, h, w) and prompts (B*slots*2, L, D) to new features."""
        tokens = self.norm(features).movedim(1, -1).unflatten(0, (-1, self.slots, 2))
        tokens = self.proj_in(tokens)
        for block in self.blocks:
            tokens = block(tokens, prompts)
        return features + self.proj_out(tokens).flatten(0, 2).movedim(-1, 1)
