"""What PoseGen's tables and figures call fields, and what each metric is, mean gains too."""

from dataclasses import replace

from poseloop.evaluate.estimator_metrics import METRICS
from poseloop.evaluate.metrics import Metric

HEADLINE = "relative_gain"
GAIN = "_gain"
FIELDS = {"parts": "part grids (fast)", "relative": "skeleton-relative (A-NeRF)"}
"""Names of the articulated fields, by kind."""


def describe(name: str) -> Metric:
    """Description of a metric of estimators and fields, or of the mean gain in one, `<name>_gain`.

    Raises
    ------
    KeyError
        No such metric.
    """
    if name in METRICS:
        return METRICS[name]
    label = METRICS[name.removesuffix(GAIN)].label
    return replace(METRICS[HEADLINE], label=f"mean relative gain in {label}")
