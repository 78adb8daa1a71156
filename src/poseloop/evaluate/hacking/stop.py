"""The early stop, chosen by the judge."""

from collections.abc import Mapping

from poseloop.evaluate.hacking.config import StopConfig


def choose_stop(errors: Mapping[int, float], config: StopConfig) -> int:
    """The step to stop at.

    Parameters
    ----------
    errors : mapping
        Step to the judge's mean error on the choosing subjects, millimetres.

    Returns
    -------
    int
        The earliest (or latest) step whose error is within the configured share of the least:
        of steps that the judge cannot tell apart the earliest has drifted least.
    """
    least = min(errors.values())
    tied = [step for step, error in errors.items() if error <= least * (1 + config.within)]
    return min(tied) if config.take == "earliest" else max(tied)
