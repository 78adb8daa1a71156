"""Samples of a method against a benchmark: one value per subject and metric."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from poseloop.data.store import ViewSet
from poseloop.data.stored import check_arrays
from poseloop.evaluate.config import EvaluateConfig
from poseloop.evaluate.geometry import TrueSurface
from poseloop.evaluate.hull import visual_hull
from poseloop.evaluate.images import compare_views, view_metrics
from poseloop.evaluate.masks import soft_masks
from poseloop.evaluate.pose import PoseJudge
from poseloop.runtime.errors import UserError
from poseloop.runtime.files import read_npz
from poseloop.runtime.seeds import numpy_rng

_TRUTH = ("rgb", "normal", "mask", "joints", "vertices", "faces", "metres_per_unit", "azimuths")

Arrays = dict[str, np.ndarray]
Table = dict[str, list[float]]


def read_benchmark(path: str | Path) -> Arrays:
    """Arrays of a benchmark file.

    Raises
    ------
    UserError
        The file is missing, or lacks an array or has one of another shape or kind.
    """
    arrays = read_npz(path, *_TRUTH, only=True)
    check_arrays(path, arrays, {name: ViewSet.schema[name] for name in _TRUTH})
    return arrays


def read_samples(path: str | Path, benchmark: Arrays) -> Arrays:
    """Arrays of a samples file made for `benchmark`.

    Raises
    ------
    UserError
        The file is missing, lacks an array, has another shape or kind than the benchmark's views,
        or holds a PoseScore that is not finite.
    """
    samples = read_npz(path, "rgb", "normal", "posescore")
    for name in ("rgb", "normal"):
        expected = benchmark[name]
        if samples[name].shape != expected.shape or samples[name].dtype != np.uint8:
            raise UserError(
                f"{path}: {name} is {samples[name].dtype} {samples[name].shape}, "
                f"the benchmark has uint8 {expected.shape}"
            )
    score = samples["posescore"]
    numbers = score.dtype.kind == "f" and np.isfinite(score).all()
    if score.shape != expected.shape[:1] or not numbers:
        raise UserError(f"{path}: posescore needs {len(expected)} finite values")
    return samples


def shape_metrics(
    rgb: np.ndarray, normal: np.ndarray, benchmark: Arrays, config: EvaluateConfig
) -> Table:
    """Geometry of the hulls of N subjects' normal views, and how many hulls were empty.

    Parameters
    ----------
    rgb, normal : (N, K, S, S, 3) uint8 arrays
        Generated (or true) views.
    """
    table: Table = {}
    for subject, pictures in enumerate(zip(rgb, normal, strict=True)):
        surface = TrueSurface(
            benchmark["vertices"][subject],
            benchmark["faces"],
            benchmark["metres_per_unit"][subject],
            config.geometry,
            numpy_rng(config.seed, "surface", "truth", subject),
        )
        mesh = visual_hull(
            soft_masks(*pictures, config.images.colour_contrast), benchmark["azimuths"], config.hull
        )
        rng = numpy_rng(config.seed, "surface", "prediction", subject)
        _append(table, surface.compare(mesh, rng) | {"hull_fallback": float(mesh.fallback)})
    return table


def pose_metrics(
    judge: PoseJudge, rgb: np.ndarray, normal: np.ndarray, benchmark: Arrays, config: EvaluateConfig
) -> Table:
    """Joint errors of N subjects' views as the judge sees them.

    Parameters
    ----------
    rgb, normal : (N, K, S, S, 3) uint8 arrays
    """
    joints = judge.joints(rgb, normal, benchmark["azimuths"], config.batch)
    errors = judge.errors(joints, benchmark["joints"], benchmark["metres_per_unit"])
    return {name: values.tolist() for name, values in errors.items()}


def picture_metrics(
    samples: Arrays,
    benchmark: Arrays,
    config: EvaluateConfig,
    lpips: Callable[[torch.Tensor, torch.Tensor], torch.Tensor] | None,
) -> Table:
    """PSNR, SSIM, mask overlap and, where its weights are there, LPIPS of N subjects' views."""
    table: Table = {}
    azimuths = benchmark["azimuths"]
    for subject in range(len(samples["rgb"])):
        rgb, true_rgb = samples["rgb"][subject], benchmark["rgb"][subject]
        row = compare_views(
            rgb,
            samples["normal"][subject],
            soft_masks(rgb, samples["normal"][subject], config.images.colour_contrast),
            true_rgb,
            benchmark["normal"][subject],
            benchmark["mask"][subject] / np.float32(255),
            azimuths,
            config.images.mask_level,
        )
        if lpips is not None:
            pair = (torch.from_numpy(x).movedim(-1, 1) / 127.5 - 1 for x in (rgb, true_rgb))
            row |= view_metrics("lpips", lpips(*pair).tolist(), azimuths)
        _append(table, row)
    return table


def evaluate_samples(
    samples: Arrays,
    benchmark: Arrays,
    judge: PoseJudge,
    config: EvaluateConfig,
    lpips: Callable[[torch.Tensor, torch.Tensor], torch.Tensor] | None = None,
) -> Table:
    """Every metric of a method's samples, subjects in file order."""
    return {
        **shape_metrics(samples["rgb"], samples["normal"], benchmark, config),
        **picture_metrics(samples, benchmark, config, lpips),
        **pose_metrics(judge, samples["rgb"], samples["normal"], benchmark, config),
        "posescore": samples["posescore"].astype(float).tolist(),
    }


def evaluate_truth(benchmark: Arrays, judge: PoseJudge, config: EvaluateConfig) -> Table:
    """Floors of the protocol: hull and judge applied to the benchmark's own true views."""
    return {
        **shape_metrics(benchmark["rgb"], benchmark["normal"], benchmark, config),
        **pose_metrics(judge, benchmark["rgb"], benchmark["normal"], benchmark, config),
    }


def _append(table: Table, row: dict[str, float]) -> None:
    for name, value in row.items():
        table.setdefault(name, []).append(value)
