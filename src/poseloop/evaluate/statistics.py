"""Paired bootstrap over subjects and seeds."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Gain:
    """A method against its baseline on one metric.

    Attributes
    ----------
    mean, baseline_mean : float
        Means over subjects and seeds, the metric's unit.
    relative : float
        (improvement) / |baseline mean|, positive where the method is better whatever the metric's
        direction; NaN where the baseline's mean is zero.
    low, high : float
        95 % percentile interval of `relative`.
    """

    mean: float
    baseline_mean: float
    relative: float
    low: float
    high: float


Draws = tuple[np.ndarray, np.ndarray]
"""Shares (B, K) of seeds and (B, N) of subjects in B bootstrap draws."""


def draw_share(count: int, resamples: int, rng: np.random.Generator) -> np.ndarray:
    """Draw `count` things with replacement, `resamples` times: the share of each, (B, count)."""
    return rng.multinomial(count, np.full(count, 1 / count), resamples) / count


def draw_shares(shape: tuple[int, int], resamples: int, rng: np.random.Generator) -> Draws:
    """Draw K seeds and N subjects, `shape`, with replacement, each `resamples` times."""
    seeds, subjects = (draw_share(count, resamples, rng) for count in shape)
    return seeds, subjects


def paired_gain(
    values: np.ndarray,
    baseline: np.ndarray,
    better: str,
    resamples: int,
    rng: np.random.Generator,
) -> Gain:
    """Relative gain of a method over its baseline with a two-level paired bootstrap interval.

    Subjects and seeds are both drawn with replacement, independently, and the same draw serves
    method and baseline: the interval covers other people in other poses as well as other seeds.

    Parameters
    ----------
    values, baseline : (K, N) arrays
        K seeds of N subjects; rows and columns belong together.
    better : str
        `higher` or `lower`.
    resamples : int
        Bootstrap draws.
    rng : numpy Generator

    Raises
    ------
    ValueError
        The shapes differ or are not (K, N).
    """
    values, baseline = np.asarray(values, dtype=float), np.asarray(baseline, dtype=float)
    if values.shape != baseline.shape or values.ndim != 2:
        raise ValueError(f"unpaired values: {values.shape} against {baseline.shape}")
    return gain_of_draws(values, baseline, better, draw_shares(values.shape, resamples, rng))


def gain_of_draws(values: np.ndarray, baseline: np.ndarray, better: str, draws: Draws) -> Gain:
    """`paired_gain` of values and baseline (K, N) with draws that several methods share."""
    sign = {"higher": 1.0, "lower": -1.0}[better]
    seed_share, subject_share = draws
    means, base_means = (
        np.einsum("bk,kn,bn->b", seed_share, table, subject_share, optimize=True)
        for table in (values, baseline)
    )
    mean, base_mean = float(values.mean()), float(baseline.mean())
    if base_mean == 0:
        return Gain(mean, base_mean, *[float("nan")] * 3)
    drawn = sign * (means - base_means) / np.maximum(np.abs(base_means), 1e-12)
    low, high = np.percentile(drawn, [2.5, 97.5])
    relative = sign * (mean - base_mean) / abs(base_mean)
    return Gain(mean, base_mean, relative, float(low), float(high))


def mean_interval(
    values: np.ndarray, resamples: int, rng: np.random.Generator
) -> tuple[float, float, float]:
    """Mean of N values with its 95 % percentile bootstrap interval: (mean, low, high)."""
    values = np.asarray(values, dtype=float)
    share = rng.multinomial(len(values), np.full(len(values), 1 / len(values)), resamples)
    low, high = np.percentile(share @ values / len(values), [2.5, 97.5])
    return float(values.mean()), float(low), float(high)
