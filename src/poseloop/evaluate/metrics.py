"""What each metric is: its unit, its better direction, its print precision."""

import re
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Metric:
    """A metric's description.

    Attributes
    ----------
    label : str
        Name for readers.
    unit : str
    better : str
        `higher` or `lower`.
    decimals : int
        Digits printed after the point.
    """

    label: str
    unit: str
    better: str
    decimals: int


_METRICS = {
    "chamfer": Metric("Chamfer", "cm", "lower", 2),
    "p2s": Metric("P2S (prediction to truth)", "cm", "lower", 2),
    "s2p": Metric("S2P (truth to prediction)", "cm", "lower", 2),
    "normal_consistency": Metric("Normal consistency", "cosine", "higher", 3),
    "f_score": Metric("F-score", "%", "higher", 1),
    "hull_fallback": Metric("Empty hulls", "share", "lower", 3),
    "psnr": Metric("PSNR", "dB", "higher", 2),
    "ssim": Metric("SSIM", "1", "higher", 3),
    "normal_psnr": Metric("PSNR of normals", "dB", "higher", 2),
    "mask_iou": Metric("Mask IoU", "1", "higher", 3),
    "lpips": Metric("LPIPS", "1", "lower", 3),
    "judge_mpjpe": Metric("MPJPE (judge)", "mm", "lower", 1),
    "judge_pa_mpjpe": Metric("PA-MPJPE (judge)", "mm", "lower", 1),
    "judge_pck": Metric("PCK (judge)", "%", "higher", 1),
    "posescore": Metric("PoseScore", "1", "higher", 4),
    "diversity_normal": Metric("Diversity of normals", "1", "higher", 4),
    "diversity_mask": Metric("Diversity of masks", "1", "higher", 4),
}


def describe(name: str) -> Metric:
    """Description of a metric, or of its variant after ICP, of the input view or of one view.

    Raises
    ------
    KeyError
        No such metric.
    """
    variants = (
        (r"_icp$", "{} after ICP"),
        (r"_input$", "{}, input view"),
        (r"_view(\d{3})$", "{}, view at {} degrees"),
    )
    for pattern, form in variants:
        if found := re.search(pattern, name):
            metric = _METRICS[name[: found.start()]]
            degrees = (str(int(group)) for group in found.groups())
            return replace(metric, label=form.format(metric.label, *degrees))
    return _METRICS[name]
