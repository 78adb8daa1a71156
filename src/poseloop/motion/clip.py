"""A motion clip, as all sources give it."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Clip:
    """One recorded motion as SMPL rotations; y up, metres, radians.

    Attributes
    ----------
    name : str
        Unique within a source.
    times : (T,)
        Seconds, ascending from 0.
    global_orient : (T, 3) f32
        Axis-angle of the pelvis.
    body_pose : (T, 69) f32
        Axis-angle of joints 1 to 23.
    transl : (T, 3) f32
        SMPL's translation.
    source_joints : (T, 24, 3) or None
        The source skeleton's own joints in the same axes and scale, by which the rotations are
        checked; NaN where it has no such joint, None if the source holds SMPL rotations already.
    """

    name: str
    times: np.ndarray
    global_orient: np.ndarray
    body_pose: np.ndarray
    transl: np.ndarray
    source_joints: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.times)

    @property
    def fps(self) -> float:
        """Frames a second: one over the median time between frames."""
        return float(1 / np.median(np.diff(self.times)))
