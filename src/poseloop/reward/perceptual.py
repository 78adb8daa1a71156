"""A perceptual distance of skeleton maps in features of fixed random filters.

The paper's second term is LPIPS (fact sheet DrPose 1.2). Its backbones read three channels and need
downloaded weights; LPIPS itself (1801.03924, section 4) finds that even random filters, with
features normalised to unit length, judge better than pixels. Maps have a channel a bone, so every
bone goes through the same filters by itself.
"""

import torch
import torch.nn.functional as F
from torch import nn

from poseloop.runtime.seeds import torch_rng

_WIDTHS = (8, 16, 32)
_SEED = 0


class PerceptualDistance(nn.Module):
    """Mean squared distance of unit-length features over three scales."""

    def __init__(self) -> None:
        super().__init__()
        generator = torch_rng(_SEED, "perceptual", "filters")
        channels = (1, *_WIDTHS)
        for level, (fan_in, fan_out) in enumerate(zip(channels, _WIDTHS, strict=False)):
            filters = torch.randn((fan_out, fan_in, 3, 3), generator=generator)
            self.register_buffer(f"filters{level}", filters * (2.0 / (9 * fan_in)) ** 0.5)

    def _features(self, maps: torch.Tensor) -> list[torch.Tensor]:
        hidden, features = maps, []
        for level in range(len(_WIDTHS)):
            filters = getattr(self, f"filters{level}")
            hidden = F.relu(F.conv2d(hidden, filters, stride=1 + (level > 0), padding=1))
            features.append(F.normalize(hidden, dim=1, eps=1e-3))
        return features

    def forward(self, predicted: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Maps (B, ..., S, S) in [0, 1], both, to distances (B,)."""
        pairs = zip(
            self._features(predicted.flatten(0, -3).unsqueeze(1)),
            self._features(target.flatten(0, -3).unsqueeze(1)),
            strict=True,
        )
        # A distance of unit-length features, summed over channels as LPIPS does.
        scales = [(a - b).square().sum(1).mean((1, 2)) for a, b in pairs]
        return torch.stack(scales).mean(0).view(len(predicted), -1).mean(1)
