"""Carved meshes on disk: one npz for measuring, one GLB per subject for looking."""

import shutil
from pathlib import Path

import numpy as np
import trimesh

from poseloop.reconstruct.subject import Carved
from poseloop.runtime.errors import UserError
from poseloop.runtime.files import read_npz, write_npz

_PARTS = ("vertices", "faces", "colours", "body", "fit")


Subjects = dict[int, Carved | str]
"""Rows of the views' file to their meshes, or to why there is none."""


def write_carved(path: str | Path, rows: Subjects) -> None:
    """Write all subjects: meshes one after the other, and the reasons of those without one.

    Arrays `vertices`, `faces`, `colours`, `body`, `fit` are concatenated; `<name>_count` (N,) says
    how many rows are whose; `subject` (N,) is the row of the views' file, and `skipped` (N,) str
    is empty for a carved subject.
    """
    subjects = list(rows.values())
    arrays = {
        "subject": np.array(list(rows), np.int32),
        "skipped": np.array([s if isinstance(s, str) else "" for s in subjects]),
    }
    empty = Carved(
        np.zeros((0, 3), np.float32),
        np.zeros((0, 3), np.int32),
        np.zeros((0, 3), np.uint8),
        np.zeros((0, 3), np.float32),
        np.zeros((0, 3), np.float32),
    )
    carved = [empty if isinstance(subject, str) else subject for subject in subjects]
    for name in _PARTS:
        parts = [getattr(subject, name) for subject in carved]
        arrays[name] = np.concatenate(parts)
        arrays[f"{name}_count"] = np.array([len(part) for part in parts], np.int32)
    write_npz(path, arrays)


def read_carved(path: str | Path) -> Subjects:
    """Read what `write_carved` wrote.

    Raises
    ------
    UserError
        The file is missing or its arrays do not fit each other.
    """
    names = [*_PARTS, *(f"{name}_count" for name in _PARTS), "skipped", "subject"]
    arrays = read_npz(path, *names)
    if arrays["subject"].dtype.kind != "i" or arrays["subject"].ndim != 1:
        raise UserError(f"{path}: subject is not (N,) whole numbers")
    if arrays["subject"].shape != arrays["skipped"].shape:
        raise UserError(f"{path}: subject and skipped have different lengths")
    parts = {}
    for name in _PARTS:
        count, width = arrays[f"{name}_count"], arrays[name].shape[1:]
        if width != (3,) or arrays[name].dtype.kind not in "iuf":
            raise UserError(f"{path}: {name} is not (rows, 3) numbers")
        fits = count.dtype.kind == "i" and count.shape == arrays["skipped"].shape
        if not fits or (count < 0).any() or count.sum() != len(arrays[name]):
            raise UserError(f"{path}: {name} does not have the rows that {name}_count tells")
        parts[name] = np.split(arrays[name], np.cumsum(count)[:-1])
    return {
        int(row): str(reason) if reason else Carved(*(parts[name][index] for name in _PARTS))
        for index, (row, reason) in enumerate(
            zip(arrays["subject"], arrays["skipped"], strict=True)
        )
    }


def write_glb(folder: str | Path, rows: Subjects) -> None:
    """Write `<row>.glb` with vertex colours for every carved subject.

    The folder appears whole or not at all; an older one is replaced.
    """
    folder = Path(folder)
    temporary = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    for index, subject in rows.items():
        if isinstance(subject, Carved):
            mesh = trimesh.Trimesh(
                subject.vertices, subject.faces, vertex_colors=subject.colours, process=False
            )
            mesh.export(temporary / f"{index:04d}.glb")
    shutil.rmtree(folder, ignore_errors=True)
    temporary.rename(folder)
