"""Measures of drawn sequences against true ones."""

import numpy as np

from poseloop.evaluate.images import psnr, ssim
from poseloop.evaluate.metrics import Metric

KEYPOINT_ERROR, REJECTION = "keypoint_error", "rejection_rate"
_METRICS = {
    KEYPOINT_ERROR: Metric("2D joint error (keypoint check)", "mm", "lower", 1),
    REJECTION: Metric("Rejected frames", "share", "lower", 3),
    "psnr": Metric("PSNR", "dB", "higher", 2),
    "ssim": Metric("SSIM", "1", "higher", 3),
    "change_error": Metric("Error of the change between frames", "% of the range", "lower", 2),
}


def describe(name: str) -> Metric:
    """Description of a metric of sequences.

    Raises
    ------
    KeyError
        No such metric.
    """
    return _METRICS[name]


def compare_sequences(frames: np.ndarray, truth: np.ndarray) -> dict[str, list[float]]:
    """Picture metrics of N sequences (N, F, S, S, 3) uint8, one value per sequence.

    `change_error` is the mean absolute difference between how a drawn sequence changes from frame
    to frame and how the true one does: flicker and stillness both raise it.
    """
    values: dict[str, list[float]] = {"psnr": [], "ssim": [], "change_error": []}
    for drawn, true in zip(frames, truth, strict=True):
        pairs = list(zip(drawn, true, strict=True))
        values["psnr"].append(float(np.mean([psnr(*pair) for pair in pairs])))
        values["ssim"].append(float(np.mean([ssim(*pair) for pair in pairs])))
        change, true_change = (np.diff(a.astype(np.float32), axis=0) for a in (drawn, true))
        values["change_error"].append(float(np.abs(change - true_change).mean() / 2.55))
    return values
