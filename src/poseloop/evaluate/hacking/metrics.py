"""What each measure is: its unit, its better direction, its print precision."""

from dataclasses import replace

from poseloop.evaluate import metrics
from poseloop.evaluate.metrics import Metric

_OWN = {
    "proxy_reward": Metric("Proxy reward, the training signal", "1", "higher", 4),
    "held_out_reward": Metric("Held-out reward", "1", "higher", 4),
    "sharpness": Metric("Sharpness of the proxy, S1", "1", "lower", 5),
    "cycle_error": Metric("Cycle error over that of true latents", "ratio", "lower", 3),
    "drift_latents": Metric("Drift of samples", "1", "lower", 4),
    "drift_v": Metric("Drift of predictions", "1", "lower", 4),
    "contrast_error": Metric("Contrast, distance from the true", "ratio", "lower", 3),
}
_JUDGED = ("judge_mpjpe", "judge_pa_mpjpe")
_SPREAD = ("diversity_normal", "diversity_mask")

DIRECTED = (*_OWN, *_JUDGED, *_SPREAD)
"""Measures of which less, or more, is better."""

MEASURES = (*DIRECTED, "contrast")
"""All measures; of `contrast`, a ratio, neither less nor more than 1 is good."""


def describe(name: str) -> Metric:
    """Description of a measure in `DIRECTED`.

    Raises
    ------
    KeyError
        No such measure.
    """
    if name in _OWN:
        return _OWN[name]
    kind = metrics.describe(name)
    return replace(kind, label=f"{kind.label} over noises") if name in _SPREAD else kind
