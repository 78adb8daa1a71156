"""Errors of estimators of pose on picture sets: one value per picture and metric.

Root-aligned at the pelvis over all 24 joints of the body (the pelvis itself left out), as the real
sets' own protocols align at their root; PA-MPJPE after similarity alignment.
"""

import numpy as np
import roma
from torch import Tensor

from poseloop.evaluate.metrics import Metric

METRICS = {
    "mpjpe": Metric("MPJPE", "mm", "lower", 1),
    "pa_mpjpe": Metric("PA-MPJPE", "mm", "lower", 1),
    "pve": Metric("PVE", "mm", "lower", 1),
    "pck150": Metric("PCK at 150 mm", "%", "higher", 1),
    "auc": Metric("AUC (0 to 150 mm)", "%", "higher", 1),
    "relative_gain": Metric("mean relative gain", "%", "higher", 2),
    "psnr": Metric("PSNR", "dB", "higher", 2),
    "ssim": Metric("SSIM", "1", "higher", 3),
    "mask_iou": Metric("silhouette IoU", "1", "higher", 3),
    "images_per_second": Metric("pictures a second (relative)", "1", "higher", 1),
    "label_fidelity": Metric("label fidelity", "%", "higher", 1),
    "direction": Metric("correlation with the real change of error", "1", "higher", 3),
    "hardness": Metric("correlation with the error on finished pictures", "1", "higher", 3),
}
"""Descriptions of the metrics of estimators and fields."""

_THRESHOLDS_MM = np.linspace(0, 150, 31)


def joint_metrics(joints: Tensor, truth: Tensor) -> dict[str, np.ndarray]:
    """`mpjpe`, `pa_mpjpe` (mm), `pck150` and `auc` (%) of N pictures.

    Parameters
    ----------
    joints, truth : (N, J, 3)
        Metres; joint 0 is the root.
    """
    a, b = (1000 * (value - value[:, :1]).double() for value in (joints, truth))
    error = (a - b)[:, 1:].norm(dim=-1).numpy()
    turn, shift, size = roma.rigid_points_registration(a, b, compute_scaling=True)
    moved = size[:, None, None] * (a @ turn.mT) + shift[:, None]
    within = (error[..., None] <= _THRESHOLDS_MM).mean((1, 2))
    return {
        "mpjpe": error.mean(1),
        "pa_mpjpe": (moved - b).norm(dim=-1).mean(1).numpy(),
        "pck150": 100 * (error <= 150).mean(1),
        "auc": 100 * within,
    }


def surface_error(surface: Tensor, truth: Tensor) -> np.ndarray:
    """PVE (N,), mm, of surface points (N, P, 3), metres, relative to the pelvis."""
    return (1000 * (surface - truth).norm(dim=-1).mean(1)).numpy()
