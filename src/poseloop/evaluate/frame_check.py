"""The check of drawn sequences: errors, threshold, and one value per sequence for the table."""

from dataclasses import dataclass

import numpy as np

from poseloop.data.clipset import ClipSet
from poseloop.evaluate.animation import KEYPOINT_ERROR, REJECTION, compare_sequences
from poseloop.evaluate.judge import Judge
from poseloop.evaluate.keypoints import find_joints, joint_errors

Values = dict[str, dict[str, list[float]]]
"""Method to metric to one value per sequence."""


@dataclass(frozen=True)
class FrameCheck:
    """A trained keypoint network and how many pictures it reads at once."""

    network: Judge
    batch_size: int

    def errors(self, frames: np.ndarray, clips: ClipSet) -> np.ndarray:
        """Errors (N, F) in mm of frames (N, F, S, S, 3) uint8 against what `clips` asks."""
        flat = frames.reshape(-1, *frames.shape[2:])
        found = find_joints(self.network, flat, self.batch_size).reshape(clips.joints2d.shape)
        return joint_errors(found, clips.joints2d, clips.window, clips.metres_per_unit)


def held_out_values(
    errors: dict[str, np.ndarray], frames: dict[str, np.ndarray], truth: str, threshold: float
) -> Values:
    """Measures of every method on held-out sequences, the pictures compared with the truth's.

    Parameters
    ----------
    errors : dict
        Method to (N, F) millimetres.
    frames : dict
        Method to (N, F, S, S, 3) uint8.
    truth : str
        The method whose frames are true; it has no picture metrics.
    """
    every = np.ones_like(errors[truth], bool)
    values = {name: _checked(table, every, threshold) for name, table in errors.items()}
    for name in errors:
        if name != truth:
            values[name] |= compare_sequences(frames[name], frames[truth])
    return values


def pose_set_values(
    renderer: np.ndarray,
    drawn: np.ndarray,
    pose: np.ndarray,
    accepted: np.ndarray,
    threshold: float,
) -> Values:
    """Measures of the renderer's and of drawn frames on the pose set's sequences.

    Of the accepted frames there is a value for each sequence that has one, beside the renderer's
    on the same frames.

    Parameters
    ----------
    renderer, drawn : (N, F) arrays
        Errors in millimetres.
    pose, accepted : (N, F) arrays
        As in `ClipSet`, and from `acceptance.accept_frames`.
    """
    kept = accepted.any(1)
    values = {
        "renderer": _checked(renderer, pose >= 0, threshold),
        "animate": _checked(drawn, pose >= 0, threshold),
    }
    if kept.any():
        for name, table in (("renderer_accepted", renderer), ("accepted", drawn)):
            values[name] = {KEYPOINT_ERROR: _means(table[kept], accepted[kept])}
    return values


def _checked(errors: np.ndarray, shown: np.ndarray, threshold: float) -> dict[str, list[float]]:
    return {KEYPOINT_ERROR: _means(errors, shown), REJECTION: _means(errors > threshold, shown)}


def _means(values: np.ndarray, chosen: np.ndarray) -> list[float]:
    """Mean (N,) over the chosen frames (N, F) of each sequence."""
    return ((values * chosen).sum(1) / chosen.sum(1)).round(5).tolist()
