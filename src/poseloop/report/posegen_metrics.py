"""What each metric of PoseGen's tables is: those of estimators and fields, and mean gains."""

from dataclasses import replace

from poseloop.evaluate.estimator_metrics import METRICS
from poseloop.evaluate.metrics import Metric

HEADLINE = "relative_gain"
GAIN = "_gain"


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
