"""The two kinds of sample files, read with their shapes, types and numbers checked."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import TypeVar

import numpy as np

from poseloop.runtime.errors import UserError
from poseloop.runtime.files import read_npz, write_npz

_VIEWS = {
    "rgb": ("u", ("N", "K", "S", "S", 3)),
    "normal": ("u", ("N", "K", "S", "S", 3)),
    "mask": ("u", ("N", "K", "S", "S")),
    "vertices": ("f", ("N", "V", 3)),
    "faces": ("i", ("F", 3)),
    "azimuths": ("f", ("K",)),
}
_SUBJECTS = {
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
_POSES = {**_SUBJECTS, "ordinary": ("b", ("N",))}
_SELECTED = {
    "global_orient": ("f", ("N", 3)),
    "body_pose": ("f", ("N", 69)),
    "clip": ("U", ("N",)),
    "frame": ("i", ("N",)),
    "mirrored": ("b", ("N",)),
    "anchor": ("i", ("N",)),
    "neighbour": ("i", ("N",)),
    "ordinary": ("b", ("N",)),
}

T = TypeVar("T", bound="_Stored")


@dataclass(frozen=True)
class _Stored:
    """Arrays that are read from and written to one npz file."""

    @classmethod
    def load(cls: type[T], path: str | Path) -> T:
        """Read and check a file.

        Raises
        ------
        UserError
            The file is missing or unreadable, or an array is missing, of a wrong shape or type,
            or not finite; the message names the file and the array.
        """
        names = [field.name for field in fields(cls)]
        arrays = read_npz(path, *names)
        check_arrays(path, arrays, _SCHEMAS[cls.__name__])
        return cls(**{name: arrays[name] for name in names})

    def save(self, path: str | Path) -> None:
        """Write the arrays, atomically."""
        write_npz(path, {field.name: getattr(self, field.name) for field in fields(self)})


@dataclass(frozen=True)
class ViewSet(_Stored):
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
class PoseSet(_Stored):
    """N pictures with the pose they show and nothing else: the DrPose15K-style set.

    Fields are those of `ViewSet` without views and mesh; `ordinary` (N,) bool marks poses drawn
    from ordinary clips rather than for their difference.
    """

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
class SelectedPoses(_Stored):
    """N poses selected for the pose set, in the order of its pictures.

    global_orient, body_pose : (N, 3), (N, 69) float32
        As in the motion file, heading included.
    clip, frame, mirrored : (N,) str, int32, bool
    anchor, neighbour : (N,) int32
        Index of the anchor and of the frame after it; they name the files of `frames`.
    ordinary : (N,) bool
    """

    global_orient: np.ndarray
    body_pose: np.ndarray
    clip: np.ndarray
    frame: np.ndarray
    mirrored: np.ndarray
    anchor: np.ndarray
    neighbour: np.ndarray
    ordinary: np.ndarray


_SCHEMAS = {
    "ViewSet": {**_VIEWS, **_SUBJECTS},
    "PoseSet": _POSES,
    "SelectedPoses": _SELECTED,
}


def check_arrays(
    path: str | Path,
    arrays: dict[str, np.ndarray],
    schema: dict[str, tuple[str, tuple[int | str, ...]]],
) -> None:
    """Check arrays against kinds (NumPy's letters) and shapes; equal letters are equal sizes.

    Raises
    ------
    UserError
        An array is of another kind or shape, or is not finite; the message names file and array.
    """
    sizes: dict[str, int] = {}
    for name, (kind, shape) in schema.items():
        array = arrays[name]
        if array.dtype.kind != kind:
            raise UserError(f"{path}: {name} has type {array.dtype}, expected kind {kind!r}")
        expected = tuple(sizes.get(axis, axis) for axis in shape)
        fits = array.ndim == len(expected) and all(
            isinstance(want, str) or want == have
            for want, have in zip(expected, array.shape, strict=True)
        )
        if not fits:
            raise UserError(f"{path}: {name} has shape {array.shape}, expected {expected}")
        sizes.update(
            (axis, have)
            for axis, have in zip(shape, array.shape, strict=True)
            if isinstance(axis, str)
        )
        if kind == "f" and not np.isfinite(array).all():
            raise UserError(f"{path}: {name} holds numbers that are not finite")
