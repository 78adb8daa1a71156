"""Mean relative gain over estimators and test sets, with one interval for the mean."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from poseloop.evaluate.statistics import draw_share

Cell = tuple[str, str, str]
"""Set, estimator, metric."""

FORMULA = (
    "mean over estimators, sets and metrics of s (method - baseline) / baseline, cell means over "
    "seeds and pictures; s = -1 where lower is better"
)
"""How the mean is taken; the paper does not say (fact sheet PoseGen 9)."""


@dataclass(frozen=True)
class AverageGain:
    """Mean relative gain with its 95 % percentile interval, all as shares of one."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class AverageDraws:
    """Shares in B bootstrap draws: of seeds (B, K), and of the pictures (B, N) of every set."""

    seeds: np.ndarray
    pictures: Mapping[str, np.ndarray]


def draw_average(
    pictures: Mapping[str, int], seeds: int, resamples: int, rng: np.random.Generator
) -> AverageDraws:
    """Draw seeds, and the pictures of sets of as many, with replacement, `resamples` times."""
    of_seeds = draw_share(seeds, resamples, rng)
    of_pictures = {name: draw_share(pictures[name], resamples, rng) for name in sorted(pictures)}
    return AverageDraws(of_seeds, of_pictures)


def average_gain(
    values: Mapping[Cell, np.ndarray],
    baseline: Mapping[Cell, np.ndarray],
    better: Mapping[str, str],
    draws: AverageDraws,
) -> AverageGain:
    """Mean of the cells' relative gains, by a paired bootstrap over seeds and pictures.

    A draw takes the same seeds in every cell, and the same pictures of a set for every estimator
    and metric: cells share seeds and pictures, and an interval that drew each cell by itself would
    be too narrow.

    Parameters
    ----------
    values, baseline : mapping of Cell to (K, N) arrays
        K seeds of the N pictures of the cell's set.
    better : mapping
        Metric to `higher` or `lower`.
    draws : AverageDraws
        Of K seeds and of the sets' pictures; several methods share them.

    Raises
    ------
    ValueError
        Cells differ, are not paired, or have other numbers of seeds than the draws.
    """
    if values.keys() != baseline.keys() or not values:
        raise ValueError("the method and its baseline have different cells")
    seeds = {table.shape[0] for table in values.values()} | {draws.seeds.shape[1]}
    unpaired = [cell for cell in values if values[cell].shape != baseline[cell].shape]
    if len(seeds) != 1 or unpaired:
        raise ValueError(f"unpaired values: {unpaired or sorted(seeds)}")
    drawn, means = [], []
    for cell in sorted(values):
        sign = {"higher": 1.0, "lower": -1.0}[better[cell[2]]]
        mine, base = (
            ((draws.pictures[cell[0]] @ table[cell].T) * draws.seeds).sum(1)
            for table in (values, baseline)
        )
        drawn.append(sign * (mine - base) / base)
        means.append(sign * (values[cell].mean() / baseline[cell].mean() - 1))
    low, high = np.percentile(np.mean(drawn, axis=0), [2.5, 97.5])
    return AverageGain(float(np.mean(means)), float(low), float(high))
