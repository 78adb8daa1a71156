"""Six views of each subject from a file of samples or from folders of pictures."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from poseloop.runtime.errors import UserError
from poseloop.runtime.files import read_npz
from poseloop.runtime.pictures import read_picture

Pictures = tuple[Sequence[np.ndarray], Sequence[np.ndarray]]
"""Normals and colours of one subject, (S, S, 3) uint8 each."""


def read_views(path: str | Path, azimuths: Sequence[float]) -> list[Pictures]:
    """Views of all subjects of a samples or benchmark file, or of a folder.

    A folder has one folder per subject, in the order of their names, with the pictures
    `normal_<azimuth>.png` and `rgb_<azimuth>.png`, azimuths in degrees with three digits. Normals
    are of the view frame, ``n * 127.5 + 127.5``, and 128 outside the body.

    Raises
    ------
    UserError
        The file or a picture is missing or unreadable, or a file has other views than `azimuths`.
    """
    path = Path(path)
    if path.is_dir():
        folders = sorted(folder for folder in path.iterdir() if folder.is_dir())
        if not folders:
            raise UserError(f"{path}: has no folder of a subject")
        return [
            tuple(
                [_read_picture(folder / f"{kind}_{azimuth:03.0f}.png") for azimuth in azimuths]
                for kind in ("normal", "rgb")
            )
            for folder in folders
        ]
    arrays = read_npz(path, "normal", "rgb")
    normal, rgb = arrays["normal"], arrays["rgb"]
    for name, views in (("normal", normal), ("rgb", rgb)):
        if views.dtype != np.uint8 or views.ndim != 5 or views.shape[-1] != 3:
            raise UserError(f"{path}: {name} is not (subjects, views, size, size, 3) uint8")
        if views.shape[1] != len(azimuths):
            raise UserError(f"{path}: {name} has {views.shape[1]} views, not {len(azimuths)}")
    if len(normal) != len(rgb):
        raise UserError(f"{path}: normal and rgb have different numbers of subjects")
    given = arrays.get("azimuths", np.asarray(azimuths))
    numbers = given.dtype.kind in "iuf" and given.shape == (len(azimuths),)
    if not numbers or not np.allclose(given, azimuths):
        raise UserError(f"{path}: views at {given.tolist()}, not at {list(azimuths)}")
    return list(zip(normal, rgb, strict=True))


def _read_picture(path: Path) -> np.ndarray:
    if not path.is_file():
        raise UserError(f"{path}: picture not found")
    return np.asarray(read_picture(path, "RGB"))
