"""The two kinds of sample files, read with their shapes, types and numbers checked."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from poseloop.data.stored import Schema, Stored, StoredRows

_VIEWS: Schema = {
    "rgb": ("u", ("N", "K", "S", "S", 3)),
    "normal": ("u", ("N", "K", "S", "S", 3)),
    "mask": ("u", ("N", "K", "S", "S")),
    "vertices": ("f", ("N", "V", 3)),
    "faces": ("i", ("F", 3)),
    "azimuths": ("f", ("K",)),
}
_SUBJECTS: Schema = {
    "input_rgb": ("u", ("N", "S", "S", 3)),
    "input_mask": ("u", ("N", "S", "S")),
    "joints": ("f", ("N", 24, 3)),
    "metres_per_unit": ("f", ("N",)),
    "global_orient": ("f", ("N", 3)),
    "body_pose": ("f", ("N", 69)),
    "betas": ("f", ("N", "B")),
    "clip": ("U", ("N",)),
    "frame": ("i", ("N",)),
    "body_id": ("i", ("N",)),
}
_POSES: Schema = {**_SUBJECTS, "ordinary": ("b", ("N",))}
_SELECTED: Schema = {
    "global_orient": ("f", ("N", 3)),
    "body_pose": ("f", ("N", 69)),
    "clip": ("U", ("N",)),
    "frame": ("i", ("N",)),
    "mirrored": ("b", ("N",)),
    "anchor": ("i", ("N",)),
    "neighbour": ("i", ("N",)),
    "ordinary": ("b", ("N",)),
}


@dataclass(frozen=True)
class ViewSet(Stored):
    """N people with K views of S x S pixels: training scans, validation scans or a benchmark.

    rgb, normal : (N, K, S, S, 3) uint8
        Colour on white; normals of the input-view frame, round(n * 127.5 + 127.5) times
        coverage, with 128 as background.
    mask : (N, K, S, S) uint8
        Coverage, 0 to 255.
    input_rgb, input_mask : (N, S, S, 3) and (N, S, S) uint8
        The model's input picture and the visible part of the person in it.
    joints : (N, 24, 3) float32
        Of the body, view frame, in units of the clothed mesh's AABB diagonal.
    vertices, faces : (N, V, 3) float and (F, 3) int32
        The clothed mesh in the same frame and units.
    metres_per_unit : (N,) float32
    global_orient, body_pose, betas : (N, 3), (N, 69), (N, B) float32
        SMPL's parameters; global_orient is in the view frame.
    clip, frame, body_id : (N,) str, int32, int32
        Where pose and body come from.
    azimuths : (K,) float32
        Degrees.
    """

    schema: ClassVar[Schema] = {**_VIEWS, **_SUBJECTS}

    rgb: np.ndarray
    normal: np.ndarray
    mask: np.ndarray
    input_rgb: np.ndarray
    input_mask: np.ndarray
    joints: np.ndarray
    vertices: np.ndarray
    faces: np.ndarray
    metres_per_unit: np.ndarray
    global_orient: np.ndarray
    body_pose: np.ndarray
    betas: np.ndarray
    clip: np.ndarray
    frame: np.ndarray
    body_id: np.ndarray
    azimuths: np.ndarray


@dataclass(frozen=True)
class PoseSet(StoredRows):
    """N pictures with the pose they show and nothing else: the DrPose15K-style set.

    Fields are those of `ViewSet` without views and mesh; `ordinary` (N,) bool marks poses drawn
    from ordinary clips rather than for their difference.
    """

    schema: ClassVar[Schema] = _POSES

    input_rgb: np.ndarray
    input_mask: np.ndarray
    joints: np.ndarray
    metres_per_unit: np.ndarray
    global_orient: np.ndarray
    body_pose: np.ndarray
    betas: np.ndarray
    clip: np.ndarray
    frame: np.ndarray
    body_id: np.ndarray
    ordinary: np.ndarray


@dataclass(frozen=True)
class SelectedPoses(StoredRows):
    """N poses selected for the pose set, in the order of its pictures.

    global_orient, body_pose : (N, 3), (N, 69) float32
        As in the motion file, heading included.
    clip, frame, mirrored : (N,) str, int32, bool
    anchor, neighbour : (N,) int32
        Index of the anchor and of the frame after it; they name the files of `frames`.
    ordinary : (N,) bool
    """

    schema: ClassVar[Schema] = _SELECTED

    global_orient: np.ndarray
    body_pose: np.ndarray
    clip: np.ndarray
    frame: np.ndarray
    mirrored: np.ndarray
    anchor: np.ndarray
    neighbour: np.ndarray
    ordinary: np.ndarray
