"""Pictures of people with their pose, as one file."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import ClassVar

import numpy as np

from poseloop.data.stored import Schema, StoredRows


@dataclass(frozen=True)
class ImageSet(StoredRows):
    """N pictures of S x S pixels, each of one person.

    rgb, mask : (N, S, S, 3), (N, S, S) uint8
        The picture, and the visible part of the person in it.
    global_orient, body_pose, betas : (N, 3), (N, 69), (N, B) float32
        SMPL's parameters; the orientation is in the camera frame (x right, y up, z towards it).
    joints : (N, 24, 3) float32
        Relative to the pelvis, camera frame, metres.
    joints2d : (N, 24, 2) float32
        In the picture, x right and y up in [-0.5, 0.5].
    camera : (N, 4) float32
        Azimuth, elevation and roll in degrees, distance in metres.
    clip, body_id : (N,) str, int32
        Where pose and body come from.
    """

    schema: ClassVar[Schema] = {
        "rgb": ("u", ("N", "S", "S", 3)),
        "mask": ("u", ("N", "S", "S")),
        "global_orient": ("f", ("N", 3)),
        "body_pose": ("f", ("N", 69)),
        "betas": ("f", ("N", "B")),
        "joints": ("f", ("N", 24, 3)),
        "joints2d": ("f", ("N", 24, 2)),
        "camera": ("f", ("N", 4)),
        "clip": ("U", ("N",)),
        "body_id": ("i", ("N",)),
    }

    rgb: np.ndarray
    mask: np.ndarray
    global_orient: np.ndarray
    body_pose: np.ndarray
    betas: np.ndarray
    joints: np.ndarray
    joints2d: np.ndarray
    camera: np.ndarray
    clip: np.ndarray
    body_id: np.ndarray


def concatenate(sets: Sequence[ImageSet]) -> ImageSet:
    """The pictures of all sets, in order."""
    return ImageSet(
        *(
            np.concatenate([getattr(part, field.name) for part in sets])
            for field in fields(ImageSet)
        )
    )
