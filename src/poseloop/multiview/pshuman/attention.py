"""Multi-head attention by PyTorch's own kernels, and the blend of the face into the front view."""

import torch
import torch.nn.functional as F
from torch import nn


class Attention(nn.Module):
    """Self-attention, or cross-attention to a context; no norm and no residual connection."""

    def __init__(self, channels: int, heads: int, context_channels: int | None = None) -> None:
        super().__init__()
        self.heads = heads
        context_channels = channels if context_channels is None else context_channels
        self.to_q = nn.Linear(channels, channels, bias=False)
        self.to_k = nn.Linear(context_channels, channels, bias=False)
        self.to_v = nn.Linear(context_channels, channels, bias=False)
        self.to_out = nn.Linear(channels, channels)

    def forward(self, tokens: torch.Tensor, context: torch.Tensor | None = None) -> torch.Tensor:
        """Mix tokens (N, L, C) by each other, or by a context (N, S, D); returns (N, L, C)."""
        context = tokens if context is None else context
        query, key, value = (
            projected.unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for projected in (self.to_q(tokens), self.to_k(context), self.to_v(context))
        )
        mixed = F.scaled_dot_product_attention(query, key, value)
        return self.to_out(mixed.transpose(1, 2).flatten(2))


def blend_face(features: torch.Tensor) -> torch.Tensor:
    """Blend the face slot, made small, half and half into its window of the front view.

    The window is the middle third of the columns in the upper third of the rows: the face slot is
    cut from pixels 256 to 512 by 0 to 256 of 768 (fact sheet DrPose 4.1). No gradient reaches the
    face slot this way.

    Parameters
    ----------
    features : (B, slots, 2, h, w, C) with h = w, a multiple of 3; the first slot is the front view,
        the last one the face

    Returns
    -------
    of the same shape; only the front view differs
    """
    third = features.shape[3] // 3
    face = features[:, -1].detach().flatten(0, 1).movedim(-1, 1)
    face = F.interpolate(face, size=(third, third), mode="bilinear").movedim(1, -1)
    window = (slice(None), 0, slice(None), slice(third), slice(third, 2 * third))
    blended = features.clone()
    blended[window] = 0.5 * features[window] + 0.5 * face.unflatten(0, (-1, 2))
    return blended
