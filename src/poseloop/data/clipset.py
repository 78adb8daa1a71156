"""Sequences of pictures of one person each, with the renders that ask for them."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from poseloop.data.stored import Schema, StoredRows


@dataclass(frozen=True)
class ClipSet(StoredRows):
    """N sequences of F frames of S x S pixels, each with a reference picture of the person.

    A sequence keeps one scale: its square is that of the union of its frames' boxes (fact sheet
    DrPose 2), the pelvis where the motion's rotations alone put it.

    reference_rgb : (N, S, S, 3) uint8
        The person in another pose, on white, in the scale of that pose's own box.
    rgb, mask : (N, F, S, S, 3), (N, F, S, S) uint8
        True frames on white, and their coverage.
    parts : (N, F, S, S, 3) uint8
        The bare body of each frame, part-coloured on black (`render.parts`).
    joints2d : (N, F, 24, 2) float32
        Where the joints are in the frame: x right, y up, in [-0.5, 0.5].
    window : (N, F, 3) float32
        Centre (x, y, as joints2d) and side of the square of the frame that shows the pose in the
        scale of its own box, the convention of `PoseSet` and `ViewSet`.
    joints : (N, F, 24, 3) float32
        View frame, relative to the centre of the frame's own box, in its diagonals.
    metres_per_unit : (N, F) float32
        Diagonal of the frame's own box.
    global_orient, body_pose, betas : (N, F, 3), (N, F, 69), (N, B) float32
        SMPL's parameters; global_orient is in the view frame.
    clip, body_id : (N,) str, int32
    pose : (N, F) int32
        Which selected pose a frame shows; -1 where none does: in a set drawn from motion, and in
        the frames that fill up a short sequence.
    """

    schema: ClassVar[Schema] = {
        "reference_rgb": ("u", ("N", "S", "S", 3)),
        "rgb": ("u", ("N", "F", "S", "S", 3)),
        "mask": ("u", ("N", "F", "S", "S")),
        "parts": ("u", ("N", "F", "S", "S", 3)),
        "joints2d": ("f", ("N", "F", 24, 2)),
        "window": ("f", ("N", "F", 3)),
        "joints": ("f", ("N", "F", 24, 3)),
        "metres_per_unit": ("f", ("N", "F")),
        "global_orient": ("f", ("N", "F", 3)),
        "body_pose": ("f", ("N", "F", 69)),
        "betas": ("f", ("N", "B")),
        "clip": ("U", ("N",)),
        "body_id": ("i", ("N",)),
        "pose": ("i", ("N", "F")),
    }

    reference_rgb: np.ndarray
    rgb: np.ndarray
    mask: np.ndarray
    parts: np.ndarray
    joints2d: np.ndarray
    window: np.ndarray
    joints: np.ndarray
    metres_per_unit: np.ndarray
    global_orient: np.ndarray
    body_pose: np.ndarray
    betas: np.ndarray
    clip: np.ndarray
    body_id: np.ndarray
    pose: np.ndarray
