"""Ranking of hypotheses: RankNet's loss, correlations, regret, and two plain baselines."""

import numpy as np
import torch
import torch.nn.functional as F
from scipy import stats
from torch import Tensor

from poseloop.hmr.scorer_config import ERRORS, RankingConfig


def ranked_pairs(samples: int, noisy: int, config: RankingConfig) -> tuple[Tensor, Tensor]:
    """Which candidates of a picture are compared: columns (P,) and columns (P,).

    Parameters
    ----------
    samples, noisy : how many candidates are the base's, and how many noisy copies of the truth
    """
    first, second = torch.triu_indices(samples + noisy, samples + noisy, 1)
    of_noisy = torch.arange(samples + noisy) >= samples
    compared = (of_noisy[first] == of_noisy[second]) | config.across_kinds
    return first[compared], second[compared]


def ranknet(
    scores: Tensor, errors: Tensor, pairs: tuple[Tensor, Tensor], config: RankingConfig
) -> Tensor:
    """Mean cross-entropy over the pairs of each picture's hypotheses, a scalar.

    Parameters
    ----------
    scores : (B, G)
    errors : (B, G, 4), millimetres, in the order of `ERRORS`
    pairs : columns that are compared, of `ranked_pairs`
    """
    first, second = pairs
    logits = config.slope * (scores[:, first] - scores[:, second])
    total = scores.new_zeros(())
    for index, name in enumerate(ERRORS):
        worse = errors[:, second, index] - errors[:, first, index]
        target = torch.sigmoid(worse / config.soft_mm) if config.soft_mm else (worse > 0).float()
        weight = config.errors.get(name, 0.0)
        total = total + weight * F.binary_cross_entropy_with_logits(logits, target)
    return total / sum(config.errors.values())


def over_pictures(scores: np.ndarray, errors: np.ndarray) -> dict[str, float]:
    """Correlation over N pictures of one hypothesis each: `plcc`, `srcc`, `krcc`.

    Errors are small where scores are high; the sign is turned so that 1 is best.
    """
    return {
        "plcc": -float(stats.pearsonr(scores, errors).statistic),
        "srcc": -float(stats.spearmanr(scores, errors).statistic),
        "krcc": -float(stats.kendalltau(scores, errors).statistic),
    }


def within_pictures(scores: np.ndarray, errors: np.ndarray) -> np.ndarray:
    """Rank correlation (N,) among the hypotheses (N, M) of each picture; 1 is best.

    What pairs depend on, and what a correlation over pictures does not show: an easy picture has
    good hypotheses all of which score high.
    """
    ranks = [stats.rankdata(values, axis=1) for values in (-scores, errors)]
    first, second = (values - values.mean(1, keepdims=True) for values in ranks)
    scale = np.sqrt((first**2).sum(1) * (second**2).sum(1))
    return (first * second).sum(1) / np.maximum(scale, 1e-12)


def regret(scores: np.ndarray, errors: np.ndarray) -> np.ndarray:
    """Error (N,) of the best-scored of M hypotheses beyond that of the best one."""
    chosen = np.take_along_axis(errors, scores.argmax(1)[:, None], 1)[:, 0]
    return chosen - errors.min(1)


def reprojection_score(places: Tensor, detected: Tensor) -> Tensor:
    """Baseline: minus the mean distance of projected joints (B, M, 24, 2) from detected ones."""
    return -(places - detected[:, None]).norm(dim=-1).mean(-1)


def consensus_score(joints: Tensor) -> Tensor:
    """Baseline: minus the mean distance of joints (B, M, 24, 3) from the hypotheses' mean."""
    return -(joints - joints.mean(1, keepdim=True)).norm(dim=-1).mean(-1)
