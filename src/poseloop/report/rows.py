"""Rows of tidy tables: what a metric is, a method's values, its gain over a baseline."""

import numpy as np

from poseloop.evaluate.metrics import Metric
from poseloop.evaluate.statistics import Gain

COLUMNS = [
    "benchmark",
    "metric",
    "unit",
    "better",
    "method",
    "mean",
    "baseline",
    "baseline_mean",
    "relative_gain",
    "ci_low",
    "ci_high",
    "n_subjects",
    "n_seeds",
    "published",
    "note",
]
GAINS = ("relative_gain", "ci_low", "ci_high")
_GAIN_DECIMALS = 4


def metric_columns(benchmark: str, metric: str, kind: Metric, method: str) -> dict[str, object]:
    """What a row is about; `method` as it stands in the table."""
    return {
        "benchmark": benchmark,
        "metric": metric,
        "unit": kind.unit,
        "better": kind.better,
        "method": method,
    }


def value_columns(values: np.ndarray, decimals: int) -> dict[str, object]:
    """Mean of values (seeds, subjects), rounded to what is printed, and how many there are."""
    return {
        "mean": round(float(values.mean()), decimals),
        "n_subjects": values.shape[1],
        "n_seeds": values.shape[0],
    }


def gain_columns(gain: Gain, baseline: str, decimals: int) -> dict[str, object]:
    """Gain over a baseline, called `baseline` in the table; `decimals` are those of its mean."""
    numbers = (gain.relative, gain.low, gain.high)
    return {
        "baseline": baseline,
        "baseline_mean": round(gain.baseline_mean, decimals),
        **{name: _rounded(number) for name, number in zip(GAINS, numbers, strict=True)},
    }


def verdict(gain: Gain) -> str:
    """The interval in words, as printed: an end that rounds to zero touches it."""
    if np.isnan(gain.relative):
        return "no relative gain: the baseline is zero"
    if _rounded(gain.low) > 0:
        return "gain"
    return "loss" if _rounded(gain.high) < 0 else "no gain"


def _rounded(number: float) -> float:
    return round(number, _GAIN_DECIMALS)
