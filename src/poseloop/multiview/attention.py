"""Attention within a view over both modalities, and across views.

The order and the two kinds follow PSHuman (fact sheet DrPose 4.1): joint self-attention over the
normal and colour tokens of one view, then attention over the tokens of one image row in all views,
whose output starts at zero, then a feed-forward layer.
"""

import torch
import torch.nn.functional as F
from diffusers.models.attention import FeedForward
from torch import nn


class SelfAttention(nn.Module):
    """Pre-norm multi-head self-attention with a residual connection."""

    def __init__(self, channels: int, heads: int, zero_output: bool = False) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.LayerNorm(channels)
        self.to_qkv = nn.Linear(channels, 3 * channels, bias=False)
        self.to_out = nn.Linear(channels, channels)
        if zero_output:
            nn.init.zeros_(self.to_out.weight)
            nn.init.zeros_(self.to_out.bias)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """(N, L, C) to (N, L, C)."""
        n, length, channels = tokens.shape
        qkv = self.to_qkv(self.norm(tokens)).view(n, length, 3, self.heads, channels // self.heads)
        query, key, value = qkv.permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(query, key, value)
        return tokens + self.to_out(mixed.transpose(1, 2).reshape(n, length, channels))


class MultiViewBlock(nn.Module):
    """Joint-modality attention, multi-view attention and feed-forward on feature maps.

    Parameters
    ----------
    kind : `row` mixes the tokens of one image row over all views and both modalities; `full`
        mixes all tokens of a subject. The cameras are orthographic at elevation 0, so a point in
        space stays in its row: rows are the epipolar lines.
    """

    def __init__(self, channels: int, heads: int, kind: str) -> None:
        super().__init__()
        self.kind = kind
        self.joint_attention = SelfAttention(channels, heads)
        self.view_attention = SelfAttention(channels, heads, zero_output=True)
        self.feed_forward_norm = nn.LayerNorm(channels)
        self.feed_forward = FeedForward(channels, mult=2, activation_fn="gelu-approximate")

    def forward(self, features: torch.Tensor, views: int) -> torch.Tensor:
        """(B*views*2, C, h, w) to the same shape."""
        n, channels, height, width = features.shape
        subjects = n // (views * 2)
        tokens = features.view(subjects, views, 2, channels, height, width)
        tokens = tokens.permute(0, 1, 2, 4, 5, 3).reshape(subjects * views, -1, channels)
        tokens = self.joint_attention(tokens).view(subjects, views, 2, height, width, channels)
        if self.kind == "row":
            tokens = tokens.permute(0, 3, 1, 2, 4, 5)
        layout = tokens.shape
        groups = subjects * height if self.kind == "row" else subjects
        tokens = self.view_attention(tokens.reshape(groups, -1, channels))
        tokens = tokens + self.feed_forward(self.feed_forward_norm(tokens))
        tokens = tokens.view(layout)
        tokens = tokens.permute(*((0, 2, 3, 5, 1, 4) if self.kind == "row" else (0, 1, 2, 5, 3, 4)))
        return tokens.reshape(n, channels, height, width).contiguous(
            memory_format=torch.channels_last
        )
