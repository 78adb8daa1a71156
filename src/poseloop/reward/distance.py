"""Distances between predicted and target skeleton maps; the reward is minus one of them."""

import torch
import torch.nn.functional as F

from poseloop.reward.config import DistanceConfig

_PYRAMID_LEVELS = 3


def bce(logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Mean binary cross-entropy per map: (..., S, S) to (...)."""
    return F.binary_cross_entropy_with_logits(logits, target, reduction="none").mean((-2, -1))


def dice(logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """One minus the soft Dice overlap per map: (..., S, S) to (...).

    A faint smear over all plausible places lowers cross-entropy, and raises this.
    """
    return _dice(torch.sigmoid(logits), target)


def multiscale_dice(logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """`dice` over a pyramid of averages, per map: (..., S, S) to (...).

    Two bones that lie apart by more than their width are equally wrong at full resolution,
    however far apart they are; at the coarser levels the nearer one is better.
    """
    prediction, truth = (maps.flatten(0, -4) for maps in (torch.sigmoid(logits), target))
    levels = [_dice(prediction, truth)]
    for level in range(1, _PYRAMID_LEVELS):
        prediction, truth = F.avg_pool2d(prediction, 2), F.avg_pool2d(truth, 2)
        # Averages shrink the sums fourfold a level, and the smoothing with them.
        levels.append(_dice(prediction, truth, smoothing=0.25**level))
    return torch.stack(levels).mean(0).view(logits.shape[:-2])


def _dice(prediction: torch.Tensor, target: torch.Tensor, smoothing: float = 1.0) -> torch.Tensor:
    overlap = (prediction * target).sum((-2, -1))
    total = prediction.square().sum((-2, -1)) + target.square().sum((-2, -1))
    return 1.0 - (2.0 * overlap + smoothing) / (total + smoothing)


def l1(logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Mean absolute difference per map: (..., S, S) to (...)."""
    return (torch.sigmoid(logits) - target).abs().mean((-2, -1))


def multiscale_l1(logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Mean absolute difference over a pyramid of averages, per map: (..., S, S) to (...)."""
    difference = (torch.sigmoid(logits) - target).flatten(0, -4)
    levels = [difference.abs().mean((-2, -1))]
    for _ in range(_PYRAMID_LEVELS - 1):
        difference = F.avg_pool2d(difference, 2)
        levels.append(difference.abs().mean((-2, -1)))
    return torch.stack(levels).mean(0).view(logits.shape[:-2])


_TERMS = {
    "bce": bce,
    "dice": dice,
    "l1": l1,
    "multiscale_l1": multiscale_l1,
    "multiscale_dice": multiscale_dice,
}


def skeleton_distance(
    logits: torch.Tensor, target: torch.Tensor, config: DistanceConfig
) -> torch.Tensor:
    """Weighted sum of the configured terms, averaged over views and bones.

    Parameters
    ----------
    logits, target : (B, V, 23, S, S); targets in [0, 1]

    Returns
    -------
    (B,) distance of every subject
    """
    weights = config.model_dump()
    terms = [weights[name] * term(logits, target) for name, term in _TERMS.items() if weights[name]]
    return torch.stack(terms).sum(0).mean((1, 2))
