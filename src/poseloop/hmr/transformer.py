"""Joint tokens: attention to near joints, to the picture, and a feed-forward layer."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from poseloop.body.joints import PARENTS
from poseloop.hmr.config import TransformerConfig


def skeleton_distance() -> Tensor:
    """Number of bones (24, 24) between each two joints."""
    lines = []
    for joint in range(24):
        line = [joint]
        while PARENTS[line[-1]] >= 0:
            line.append(PARENTS[line[-1]])
        lines.append(line)
    distance = torch.zeros(24, 24, dtype=torch.long)
    for first, up in enumerate(lines):
        for second, other in enumerate(lines):
            shared = next(joint for joint in up if joint in other)
            distance[first, second] = up.index(shared) + other.index(shared)
    return distance


def attention_mask(token_joints: list[int], hops: int, extra: int) -> Tensor:
    """Which tokens may attend to which: (T + extra, T + extra) bool.

    Parameters
    ----------
    token_joints : T joints at which the tokens sit
    hops : most bones between two joints that see each other
    extra : tokens without a place, which see all and are seen by all
    """
    near = skeleton_distance()[token_joints][:, token_joints] <= hops
    return F.pad(near, (0, extra, 0, extra), value=True)


class JointLayer(nn.Module):
    """Pre-norm self-attention under a mask, cross-attention to picture tokens, feed-forward."""

    def __init__(self, width: int, heads: int, token_channels: int) -> None:
        super().__init__()
        self.heads = heads
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(3))
        self.to_qkv = nn.Linear(width, 3 * width)
        self.to_out = nn.Linear(width, width)
        self.to_query = nn.Linear(width, width)
        self.to_key_value = nn.Linear(token_channels, 2 * width)
        self.from_picture = nn.Linear(width, width)
        self.feed_forward = nn.Sequential(
            nn.Linear(width, 2 * width), nn.ReLU(inplace=True), nn.Linear(2 * width, width)
        )

    def forward(self, tokens: Tensor, picture: Tensor, mask: Tensor) -> Tensor:
        """Tokens (B, M, T, W) of M hypotheses for each of B pictures with tokens (B, L, C).

        Hypotheses of one picture share its keys and values and never attend to each other.
        """
        batch, many, count, width = tokens.shape
        size = width // self.heads
        qkv = self.to_qkv(self.norms[0](tokens)).view(batch * many, count, 3, self.heads, size)
        mixed = F.scaled_dot_product_attention(*qkv.permute(2, 0, 3, 1, 4), attn_mask=mask)
        tokens = tokens + self.to_out(mixed.transpose(1, 2).reshape(tokens.shape))
        query = self.to_query(self.norms[1](tokens)).view(batch, many * count, self.heads, size)
        key, value = (
            self.to_key_value(picture).view(batch, -1, 2, self.heads, size).permute(2, 0, 3, 1, 4)
        )
        seen = F.scaled_dot_product_attention(query.transpose(1, 2), key, value)
        tokens = tokens + self.from_picture(seen.transpose(1, 2).reshape(tokens.shape))
        return tokens + self.feed_forward(self.norms[2](tokens))


class JointTransformer(nn.Module):
    """Layers whose sight narrows along the skeleton (fact sheet ADHMR 1.2)."""

    def __init__(
        self, config: TransformerConfig, token_joints: list[int], extra: int, token_channels: int
    ) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            JointLayer(config.width, config.heads, token_channels) for _ in config.hops
        )
        masks = [attention_mask(token_joints, hops, extra) for hops in config.hops]
        self.register_buffer("masks", torch.stack(masks))

    def forward(self, tokens: Tensor, picture: Tensor) -> Tensor:
        """Tokens (B, M, T, W) and picture tokens (B, L, C) to (B, M, T, W)."""
        for layer, mask in zip(self.layers, self.masks, strict=True):
            tokens = layer(tokens, picture, mask)
        return tokens
