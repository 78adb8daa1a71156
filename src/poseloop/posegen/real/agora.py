"""AGORA: data frames of a split with joints (*_withjv.pkl) and a folder of its pictures."""

from pathlib import Path

import numpy as np

from poseloop.posegen.real.crops import Collector, RealImages, box_of, inside
from poseloop.posegen.real.pickles import read_frame
from poseloop.runtime.errors import UserError
from poseloop.runtime.refusing import refusing

_FIELDS = ("imgPath", "isValid", "gt_joints_2d", "gt_joints_3d")


def read_agora(
    frames: str | Path, pictures: str | Path, size: int, scale: float = 1.0, every: int = 1
) -> RealImages:
    """People of a split with SMPL's 24 joints; those not marked as valid are left out.

    Parameters
    ----------
    frames : path
        Folder of the data frames with SMPL's joints: one row per picture, `gt_joints_2d` and
        `gt_joints_3d` (P, 45, .) per person, camera frame, metres and pixels of 3840 x 2160.
    pictures : path
        Folder of the pictures, named by `imgPath`.
    scale : float
        Size of the pictures over 3840 x 2160; 1 / 3 for those of 1280 x 720.
    every : int
        Rows to step by.

    Raises
    ------
    UserError
        Frames, fields or pictures are missing or faulty.
    """
    files = sorted(Path(frames).glob("*_withjv.pkl"))
    if not files:
        raise UserError(f"{frames}: no *_withjv.pkl")
    collector = Collector(size, range(24))
    for file in files:
        table = read_frame(file)
        missing = [name for name in _FIELDS if name not in table]
        if missing:
            raise UserError(f"{file}: lacks the column(s) {', '.join(missing)}")
        with refusing(file, "not a data frame of AGORA"):
            for row in range(0, len(table["imgPath"]), every):
                name, valid, flat, deep = (table[field][row] for field in _FIELDS)
                for seen, points, joints in zip(valid, flat, deep, strict=True):
                    if not seen:
                        continue
                    points, joints = (np.asarray(value, float)[:24] for value in (points, joints))
                    if points.shape != (24, 2) or joints.shape != (24, 3):
                        raise UserError(f"{file}: joints of {name} are fewer than SMPL's 24")
                    path = inside(Path(pictures), str(name), file)
                    collector.add(path, joints, box_of(points * scale))
    return collector.finish(frames)
