"""What each metric of the ADHMR tables is: its unit, its better direction, its print precision."""

import re
from dataclasses import replace

from poseloop.evaluate.metrics import Metric

_ERRORS = {
    "mpjpe": Metric("MPJPE", "mm", "lower", 1),
    "pa_mpjpe": Metric("PA-MPJPE", "mm", "lower", 1),
    "pve": Metric("PVE", "mm", "lower", 1),
    "pa_pve": Metric("PA-PVE", "mm", "lower", 1),
}
_ANSWERS = {
    "select": "{}, selected by score",
    "zero": "{}, zero noise",
    "mean": "{}, mean of hypotheses",
}
_RANKINGS = {
    "plcc": Metric("PLCC over pictures, {}", "1", "higher", 3),
    "srcc": Metric("SRCC over pictures, {}", "1", "higher", 3),
    "krcc": Metric("KRCC over pictures, {}", "1", "higher", 3),
    "within": Metric("SRCC within a picture, {}", "1", "higher", 3),
    "regret": Metric("Regret of the best of M, {}", "mm", "lower", 1),
}
_OTHERS = {
    "spread": Metric("Spread of hypotheses", "mm", "higher", 1),
    "calibration": Metric("SRCC of spread and error", "1", "higher", 3),
    "reproject": Metric("2D distance of the selected body", "px", "lower", 2),
    "precision": Metric("Wrong among removed labels", "share", "higher", 3),
}


def describe(name: str) -> Metric:
    """Description of a metric.

    Raises
    ------
    KeyError
        No such metric.
    """
    if name in _OTHERS or name in _ERRORS:
        return {**_OTHERS, **_ERRORS}[name]
    prefix, _, error = name.partition("_")
    if prefix in _RANKINGS:
        kind = _RANKINGS[prefix]
        return replace(kind, label=kind.label.format(_ERRORS[error].label))
    if found := re.fullmatch(r"(\w+)_min_(\d+)", name):
        kind = _ERRORS[found[1]]
        return replace(kind, label=f"{kind.label}, min over {found[2]} (oracle)")
    error, _, answer = name.rpartition("_")
    kind = _ERRORS[error]
    return replace(kind, label=_ANSWERS[answer].format(kind.label))
