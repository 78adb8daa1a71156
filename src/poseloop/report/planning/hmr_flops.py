"""Arithmetic of the ADHMR loop's networks, counted on the meta device."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace

import torch
from torch import nn

from poseloop.hmr.config import BaseConfig, EncoderConfig, TransformerConfig
from poseloop.hmr.denoiser import Denoiser
from poseloop.hmr.encoder import Encoder, Features
from poseloop.hmr.scorer_config import ScorerConfig
from poseloop.hmr.skeleton_body import LEAF_PARENTS
from poseloop.hmr.transformer import JointTransformer
from poseloop.report.planning.flops import Network, count_network

# Of the open body; other numbers change little.
_BETAS = 10


@dataclass(frozen=True)
class Shared:
    """A network that denoises or scores many hypotheses of a picture.

    Attributes
    ----------
    picture : operations that all hypotheses of a picture share
    hypothesis : operations of each
    """

    picture: float
    hypothesis: float
    parameters: int

    def of(self, hypotheses: float) -> float:
        """Operations of one pass over so many hypotheses of a picture."""
        return self.picture + hypotheses * self.hypothesis


def encoder(config: EncoderConfig, size: int) -> Network:
    """One picture to features."""
    return count_network(
        lambda: Encoder(config), lambda module: module(torch.empty(1, 3, size, size))
    )


def features(config: EncoderConfig, size: int) -> int:
    """Numbers that stand for one picture."""
    _, middle, last = config.channels
    return last * _picture_tokens(config, size) + middle * (size // 4) ** 2


def entries(config: BaseConfig) -> int:
    """Numbers of one hypothesis."""
    return _layout(config).mask.numel()


def denoiser(config: BaseConfig, size: int) -> Shared:
    """One call of the denoiser."""
    layout = _layout(config)

    def run(module: nn.Module, hypotheses: int) -> None:
        noisy = torch.empty(1, hypotheses, *layout.mask.shape)
        module(noisy, torch.empty(1, hypotheses, dtype=torch.long), _features(config, size))

    return _shared(lambda: Denoiser(config, layout, Encoder(config.encoder)), run)


def scorer(config: ScorerConfig, base: BaseConfig, size: int) -> Shared:
    """The scorer's layers over hypotheses, without the answer that it starts from."""
    settings = TransformerConfig(width=config.width, heads=config.heads, hops=config.hops)
    channels = base.encoder.channels[-1]

    def run(module: nn.Module, hypotheses: int) -> None:
        module(torch.empty(1, hypotheses, 24, config.width), _features(base, size).tokens)

    return _shared(lambda: JointTransformer(settings, list(range(24)), 0, channels), run)


def _shared(make: Callable[[], nn.Module], run: Callable[[nn.Module, int], None]) -> Shared:
    one, two = (count_network(make, lambda module, m=m: run(module, m)) for m in (1, 2))
    each = two.flops - one.flops
    return Shared(one.flops - each, each, one.parameters)


def _layout(config: BaseConfig) -> SimpleNamespace:
    """Places and sizes of the tokens (`hmr.parameters`), without a body."""
    if config.parameters == "rotations":
        joints, size = list(range(24)), _BETAS + 3
    else:
        joints, size = [*range(24), *LEAF_PARENTS], _BETAS + 1
    mask = torch.ones(len(joints) + 1, size, device="meta")
    return SimpleNamespace(token_joints=joints, mask=mask)


def _picture_tokens(config: EncoderConfig, size: int) -> int:
    return math.ceil(size // 8 / config.token_pool) ** 2


def _features(config: BaseConfig, size: int) -> Features:
    _, middle, last = config.encoder.channels
    return Features(
        torch.empty(1, _picture_tokens(config.encoder, size), last),
        torch.empty(1, middle, size // 4, size // 4),
        torch.empty(1, 24, 2),
        torch.empty(1, 24, 1),
    )
