"""Pictures and labels in two files, so that a step which must not see labels is not given any."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from poseloop.data.stored import Schema, StoredRows
from poseloop.runtime.errors import UserError


@dataclass(frozen=True)
class Pictures(StoredRows):
    """Crops of people and what a camera knows without them.

    image : (N, S, S, 3) uint8
    intrinsics : (N, 3) float32
        Focal length and principal point (u, v) of the crop, in units where the crop is [-1, 1],
        u to the right, v down.
    """

    schema: ClassVar[Schema] = {
        "image": ("u", ("N", "S", "S", 3)),
        "intrinsics": ("f", ("N", 3)),
    }

    image: np.ndarray
    intrinsics: np.ndarray


@dataclass(frozen=True)
class Labels(StoredRows):
    """The bodies in the pictures of a set, row by row.

    global_orient, body_pose, betas : (N, 3), (N, 69), (N, B) float32
        SMPL's parameters, axis-angle in radians. The frame of `global_orient` is the view's: x
        right, y up, z towards the camera.
    camera : (N, 3) float32
        Scale (crop units per metre at the pelvis) and (u, v) of the pelvis (`geometry.project`).
    clip, frame, body_id : (N,) str, int32, int32
        Where pose and body come from.
    """

    schema: ClassVar[Schema] = {
        "global_orient": ("f", ("N", 3)),
        "body_pose": ("f", ("N", 69)),
        "betas": ("f", ("N", "B")),
        "camera": ("f", ("N", 3)),
        "clip": ("U", ("N",)),
        "frame": ("i", ("N",)),
        "body_id": ("i", ("N",)),
    }

    global_orient: np.ndarray
    body_pose: np.ndarray
    betas: np.ndarray
    camera: np.ndarray
    clip: np.ndarray
    frame: np.ndarray
    body_id: np.ndarray


def load_labelled(images: str | Path, labels: str | Path) -> tuple[Pictures, Labels]:
    """Pictures with their labels.

    Raises
    ------
    UserError
        A file is faulty, or the two have different numbers of rows.
    """
    pictures, truth = Pictures.load(images), Labels.load(labels)
    if len(pictures) != len(truth):
        raise UserError(f"{labels}: {len(truth)} rows, but {images} has {len(pictures)}")
    return pictures, truth
