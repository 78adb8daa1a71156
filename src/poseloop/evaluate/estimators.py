"""Estimators of pose on the test sets, and the files of their errors."""

from pathlib import Path

import numpy as np
import roma
import torch

from poseloop.evaluate.estimator_metrics import joint_metrics, surface_error
from poseloop.posegen.config_estimators import EstimatorConfig
from poseloop.posegen.estimator import Estimator, make_estimator
from poseloop.posegen.estimator_training import estimate_all
from poseloop.posegen.imageset import ImageSet
from poseloop.posegen.loading import split_methods
from poseloop.posegen.skeleton import SurfaceBody
from poseloop.runtime.errors import UserError
from poseloop.runtime.files import read_npz
from poseloop.runtime.rebuilding import rebuilding
from poseloop.runtime.weights import load_into, read_weights

Errors = dict[str, np.ndarray]


def true_surface(images: ImageSet, body: SurfaceBody) -> torch.Tensor:
    """Surface points (N, P, 3) of the labels, metres, relative to the pelvis."""
    pose = np.concatenate([images.global_orient, images.body_pose], axis=1).reshape(-1, 24, 3)
    rotmats = roma.rotvec_to_rotmat(torch.from_numpy(pose))
    betas = torch.from_numpy(images.betas)
    return body.surface(rotmats.to(body.device), betas.to(body.device)).cpu()


def evaluate_estimator(
    estimator: Estimator, images: ImageSet, surface: torch.Tensor, body: SurfaceBody
) -> Errors:
    """Every metric of every picture; `surface` is the labels', from `true_surface`.

    Raises
    ------
    UserError
        An estimate is not finite.
    """
    estimate = estimate_all(estimator, images.rgb)
    if not torch.isfinite(estimate.joints).all():
        raise UserError("the estimator returns joints that are not finite")
    values = joint_metrics(estimate.joints, torch.from_numpy(images.joints))
    found = body.surface(estimate.rotmats.to(body.device), estimate.betas.to(body.device))
    return values | {"pve": surface_error(found.cpu(), surface)}


def load_tuned(path: str | Path, body: SurfaceBody) -> dict[str, Estimator]:
    """Estimators by method from a file of the loop.

    Raises
    ------
    UserError
        The file is missing or is none of the loop's.
    """
    state, metadata = read_weights(path)
    if "methods" not in metadata:
        raise UserError(f"{path}: not a weights file of the loop")
    estimators = {}
    with rebuilding(path, state):
        entry = EstimatorConfig.model_validate(metadata["estimator"])
        by_method = split_methods(state, metadata["methods"])
    for method, weights in by_method.items():
        with rebuilding(path, weights):
            estimator = make_estimator(entry, body, metadata["size"])
        load_into(estimator, weights, path)
        estimator = estimator.to(body.device, memory_format=torch.channels_last)
        estimators[method] = estimator.eval()
    return estimators


def gather_errors(paths: list[Path]) -> dict[tuple[str, str, str, str], np.ndarray]:
    """(method, estimator, set, metric) to (seeds, pictures) values of files by estimator.

    Each file holds arrays named `<method>/<set>/<metric>`; its stem names the estimator.

    Raises
    ------
    UserError
        A file is missing, an array has another name or shape, or a value is not finite.
    """
    results = {}
    for path in map(Path, paths):
        for name, values in read_npz(path).items():
            parts = name.split("/")
            if values.dtype.kind not in "iuf":
                raise UserError(f"{path}: {name}: not numbers")
            if len(parts) != 3 or values.ndim != 2 or not np.isfinite(values).all():
                raise UserError(f"{path}: {name}: not (seeds, pictures) finite errors of a method")
            method, where, metric = parts
            results[method, path.stem, where, metric] = values.astype(float)
    return results
