"""Pictures to what joint tokens look at: coarse tokens, a fine map, and detected 2D joints."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from poseloop.hmr.config import EncoderConfig
from poseloop.runtime.errors import UserError
from poseloop.runtime.refusing import refusing
from poseloop.runtime.weights import load_into

_JOINTS = 24


class Features(NamedTuple):
    """Of B pictures: tokens (B, L, C), map (B, C', h, w), detected joints (B, 24, 2) in [-1, 1].

    `confidence` (B, 24, 1) is the logarithm of the heat at a detection's peak.
    """

    tokens: Tensor
    map: Tensor
    detected: Tensor
    confidence: Tensor

    def of(self, rows: Tensor | slice) -> "Features":
        """Features of some of the pictures."""
        return Features(*(part[rows] for part in self))


def soft_argmax(heat: Tensor) -> tuple[Tensor, Tensor]:
    """Expected place (B, K, 2), (u, v), and log-peak (B, K, 1) of logit maps (B, K, h, w)."""
    height, width = heat.shape[-2:]
    log = heat.flatten(2).log_softmax(-1)
    weight = log.exp().unflatten(2, (height, width))
    u = (torch.arange(width, device=heat.device) + 0.5) / width * 2 - 1
    v = (torch.arange(height, device=heat.device) + 0.5) / height * 2 - 1
    place = torch.stack([(weight.sum(2) * u).sum(-1), (weight.sum(3) * v).sum(-1)], -1)
    return place, log.amax(-1, keepdim=True)


def detection_loss(heat: Tensor, places: Tensor, sigma: float = 0.8) -> Tensor:
    """Cross-entropy of logit maps (B, K, h, w) with Gaussians at places (B, K, 2); a scalar.

    Maps learn where joints are several times faster from this than from the distance of their
    expected place. A joint outside the crop cannot be seen and does not count.

    Parameters
    ----------
    sigma : float
        Of the Gaussians, in pixels of the map.
    """
    height, width = heat.shape[-2:]
    lines = []
    for axis, size in ((1, height), (0, width)):
        centre = (torch.arange(size, device=heat.device) + 0.5) / size * 2 - 1
        gap = (places[..., axis, None] - centre) * size / (2 * sigma)
        lines.append((-0.5 * gap.square()).softmax(-1))
    target = lines[0][..., :, None] * lines[1][..., None, :]
    entropy = -(target * heat.flatten(2).log_softmax(-1).view_as(heat)).sum((-2, -1))
    inside = (places.abs() <= 1).all(-1)
    return (entropy * inside).sum() / inside.sum().clamp(min=1)


class Encoder(nn.Module):
    """CNN, or a timm backbone, with a map at a quarter of the picture and tokens at an eighth.

    Tokens are means over `token_pool` places of the eighth each way.
    """

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        groups = config.norm_groups
        if config.kind == "cnn":
            first, middle, last = config.channels
            self.trunk = nn.ModuleList(
                [
                    nn.Sequential(_conv(3, first, 2, groups), _conv(first, middle, 2, groups)),
                    nn.Sequential(_Residual(middle, groups), _conv(middle, last, 2, groups)),
                    nn.Sequential(_Residual(last, groups), _Around(last, groups)),
                ]
            )
        else:
            self.trunk, (middle, last) = _timm_trunk(config)
        self.lateral = nn.Conv2d(last, middle, 1)
        self.fine = _conv(middle, middle, 1, groups)
        self.heat = nn.Conv2d(middle, _JOINTS, 1)
        self.token_channels, self.map_channels = last, middle
        self.token_pool = config.token_pool

    @property
    def device(self) -> torch.device:
        """Where its weights are."""
        return self.heat.weight.device

    def forward(self, pictures: Tensor) -> Features:
        """Pictures (B, 3, S, S) in [0, 1]."""
        quarter, eighth = self._levels(pictures * 2 - 1)
        raised = F.interpolate(self.lateral(eighth), size=quarter.shape[-2:], mode="nearest")
        fine = self.fine(quarter + raised)
        detected, confidence = soft_argmax(self.heat(fine))
        coarse = F.avg_pool2d(eighth, self.token_pool, ceil_mode=True)
        return Features(coarse.flatten(2).transpose(1, 2), fine, detected, confidence)

    def _levels(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        if not isinstance(self.trunk, nn.ModuleList):
            return tuple(self.trunk(pictures))
        quarter = self.trunk[0](pictures)
        return quarter, self.trunk[2](self.trunk[1](quarter))


class _Residual(nn.Module):
    def __init__(self, channels: int, groups: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            _conv(channels, channels, 1, groups), nn.Conv2d(channels, channels, 3, padding=1)
        )

    def forward(self, features: Tensor) -> Tensor:
        return features + self.body(features)


class _Around(nn.Module):
    """Adds what a level of half the size sees: enough of the body to tell left from right."""

    def __init__(self, channels: int, groups: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            _conv(channels, channels, 2, groups),
            _Residual(channels, groups),
            _Residual(channels, groups),
            nn.Conv2d(channels, channels, 1),
        )

    def forward(self, features: Tensor) -> Tensor:
        around = F.interpolate(self.body(features), size=features.shape[-2:], mode="nearest")
        return features + around


def _conv(inputs: int, outputs: int, stride: int, groups: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride, 1), nn.GroupNorm(groups, outputs), nn.SiLU()
    )


def _timm_trunk(config: EncoderConfig) -> tuple[nn.Module, tuple[int, int]]:
    """A timm model's features at a quarter and an eighth, with the user's weights."""
    from safetensors.torch import load_file

    try:
        import timm
    except ImportError as fault:
        raise UserError("encoder.kind: timm is not installed (pip install timm)") from fault
    with refusing("encoder.backbone, encoder.path", "no such model, or not its weights"):
        trunk = timm.create_model(config.backbone, features_only=True, out_indices=(1, 2))
        state = load_file(config.path)
    known = trunk.state_dict()
    load_into(trunk, {name: state[name] for name in known if name in state}, config.path)
    middle, last = trunk.feature_info.channels()
    return trunk, (middle, last)
