"""What all four readers give: square crops of people with joints in the camera frame."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from poseloop.runtime.errors import UserError
from poseloop.runtime.pictures import read_picture
from poseloop.runtime.refusing import refusing

_MARGIN = 1.3


@dataclass(frozen=True)
class RealImages:
    """N crops of S x S pixels.

    rgb : (N, S, S, 3) uint8
    joints : (N, J, 3) float32
        Metres, camera frame of this project (x right, y up, z towards the camera), relative to
        the first joint, the pelvis.
    indices : (J,) int64
        Index of each joint among SMPL's 24; the first is 0.
    names : (N,) str
        Where each crop comes from.
    """

    rgb: np.ndarray
    joints: np.ndarray
    indices: np.ndarray
    names: np.ndarray


class Collector:
    """Gathers crops one by one.

    Parameters
    ----------
    size : int
        Pixels of a crop.
    indices : sequence of int
        As in `RealImages`.
    """

    def __init__(self, size: int, indices: Sequence[int]) -> None:
        self.size = size
        self.indices = np.asarray(indices, np.int64)
        self._parts: list[tuple[np.ndarray, np.ndarray, str]] = []

    def add(self, path: Path, joints: np.ndarray, box: tuple[float, float, float]) -> None:
        """Crop one person.

        Parameters
        ----------
        joints : (J, 3) array
            Metres; x right, y down, z away from the camera, as computer vision has it.
        box : three numbers
            Centre column, centre row and side of the square, pixels.

        Raises
        ------
        UserError
            The picture is unreadable, or joints or box are not finite.
        """
        if not (np.isfinite(joints).all() and np.isfinite(box).all()) or box[2] <= 0:
            raise UserError(f"{path}: joints or box are not finite numbers")
        x, y, side = box
        corner = (x - side / 2, y - side / 2, x + side / 2, y + side / 2)
        crop = read_picture(path, "RGB").transform(
            (self.size, self.size), Image.Transform.EXTENT, corner, Image.Resampling.BILINEAR
        )
        turned = (joints - joints[:1]) * [1, -1, -1]
        self._parts.append((np.asarray(crop), turned.astype(np.float32), path.stem))

    def finish(self, source: str | Path) -> RealImages:
        """All crops.

        Raises
        ------
        UserError
            There are none; `source` is named.
        """
        if not self._parts:
            raise UserError(f"{source}: holds no usable person")
        rgb, joints, names = zip(*self._parts, strict=True)
        return RealImages(np.stack(rgb), np.stack(joints), self.indices, np.array(names))


def box_of(points: np.ndarray) -> tuple[float, float, float]:
    """Centre and side, in pixels, of a square around joints (J, 2) with room for hands and head."""
    low, high = points.min(0), points.max(0)
    x, y = (low + high) / 2
    return float(x), float(y), float(_MARGIN * (high - low).max())


def inside(folder: Path, name: str, source: Path) -> Path:
    """The file `name` of a data file within `folder`.

    Raises
    ------
    UserError
        The name leads out of the folder, or there is no such file; `source` is named.
    """
    folder = folder.resolve()
    with refusing(source, "a file name that no file can have"):
        path = (folder / name).resolve()
        there = path.is_file()
    if not path.is_relative_to(folder):
        raise UserError(f"{source}: the file name {name!r} leads out of {folder}")
    if not there:
        raise UserError(f"{path}: picture named by {source.name} not found")
    return path
