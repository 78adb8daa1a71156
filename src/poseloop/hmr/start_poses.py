"""Poses for the body fit of the carving, estimated in the input pictures."""

from collections.abc import Iterator

import numpy as np
import roma

from poseloop.hmr.denoiser import DiffusionHMR
from poseloop.hmr.geometry import mean_rotation
from poseloop.hmr.images import Window, cut
from poseloop.hmr.recover import recover
from poseloop.hmr.scorer import Scorer
from poseloop.hmr.store import Pictures
from poseloop.reconstruct.config import Estimate
from poseloop.runtime.errors import UserError


def crop_of_input(picture: np.ndarray, mask: np.ndarray, config: Estimate) -> Pictures:
    """The square around a person in an input picture, as the model's training crops.

    The focal length is that of a camera as far off as those the scorer was taught with: it knows
    no orthographic picture. A pose does not depend on it.

    Parameters
    ----------
    picture : (S, S, 3) uint8 array
    mask : (S, S) uint8 array

    Raises
    ------
    UserError
        The mask is empty.
    """
    rows, columns = np.nonzero(mask > 127)
    if not len(rows):
        raise UserError("the input picture's mask is empty")
    low = np.array([columns.min(), -rows.max() - 1]) / len(mask) + [-0.5, 0.5]
    high = np.array([columns.max() + 1, -rows.min()]) / len(mask) + [-0.5, 0.5]
    window = Window((low + high) / 2, float((high - low).max()) * config.margin)
    zoom = 2 / window.side
    intrinsics = [config.distance * zoom, *(window.centre * [-zoom, zoom])]
    crop = cut(picture, window, config.size)
    return Pictures(crop[None], np.array([intrinsics], np.float32))


def estimate_poses(
    model: DiffusionHMR,
    scorer: Scorer,
    inputs: dict[str, np.ndarray],
    config: Estimate,
) -> Iterator[np.ndarray | UserError]:
    """The pose (72,) float32 in each input picture, or why there is none.

    Axis-angle, radians, view frame: the mean rotations of the best-scored hypotheses. The view
    frame of a crop is that of the benchmark's views.

    Parameters
    ----------
    inputs : dict
        `input_rgb` (N, S, S, 3) and `input_mask` (N, S, S) uint8.
    """
    pairs = zip(inputs["input_rgb"], inputs["input_mask"], strict=True)
    for row, (picture, mask) in enumerate(pairs):
        try:
            crop = crop_of_input(picture, mask, config)
            found = recover(model, scorer, crop, config.hypotheses, config.seed, f"subject {row}")
        except UserError as fault:
            yield fault
            continue
        turns = mean_rotation(found.bodies.rotations[: config.selected], 0)
        yield roma.rotmat_to_rotvec(turns).flatten().numpy()
