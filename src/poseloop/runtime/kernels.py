"""Operations whose kernels on a GPU do not repeat themselves, in a form that does there.

PyTorch refuses them under deterministic algorithms. On a CPU its own kernels are used.
"""

import torch
import torch.nn.functional as F
from torch import Tensor


def running_sum(values: Tensor) -> Tensor:
    """Sums of the first 1, 2, ... K values of each row: (R, K) to (R, K)."""
    if values.device.type == "cpu":
        return values.cumsum(1)
    count = values.shape[1]
    return values @ values.new_ones(count, count).triu()


def sample_at(maps: Tensor, places: Tensor) -> Tensor:
    """Maps (B, C, h, w) at places (B, K, 2), (u, v) in [-1, 1]: (B, K, C), bilinear.

    u runs to the right, v down, -1 and 1 are the outer edges of the outermost pixels. Beyond their
    centres the edge's value counts. Differentiable in both.
    """
    if maps.device.type == "cpu":
        grid = places.unsqueeze(2)
        found = F.grid_sample(maps, grid, padding_mode="border", align_corners=False)
        return found.squeeze(3).transpose(1, 2)
    height, width = maps.shape[-2:]
    last = places.new_tensor([width - 1, height - 1])
    at = ((places + 1) * (last + 1) - 1) / 2
    at = at.clamp(min=0).minimum(last)
    low = at.detach().floor()
    share = at - low
    columns, rows = (torch.stack([low, (low + 1).minimum(last)], -1).long()).unbind(2)
    across, down = torch.stack([1 - share, share], -1).unbind(2)
    pixels = (rows[..., :, None] * width + columns[..., None, :]).flatten(1)
    weights = (down[..., :, None] * across[..., None, :]).flatten(1)
    index = pixels[:, None].expand(-1, maps.shape[1], -1)
    found = maps.flatten(2).gather(2, index) * weights[:, None]
    return found.unflatten(2, (-1, 4)).sum(-1).transpose(1, 2)
