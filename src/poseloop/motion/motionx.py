"""Motion-X npy or npz files: 322 numbers a frame, SMPL-X."""

import zipfile
from pathlib import Path

from poseloop.motion.clip import Clip
from poseloop.motion.upright import smpl_clip
from poseloop.runtime.archives import read_archive, read_numbers
from poseloop.runtime.errors import UserError
from poseloop.runtime.refusing import refusing

_WIDTH = 322
_TRANS = slice(309, 312)  # after root 3, body 63, hands 90, jaw 3, expression 50, face shape 100
_RATE = 30.0


def read_motionx(name: str, path: Path, up: str = "y") -> Clip:
    """Read one clip at Motion-X's 30 frames a second.

    An npz may hold the frames under any one name.

    Raises
    ------
    UserError
        The file is unreadable, not (T, 322), or not finite.
    """
    with refusing(path, "not a readable Motion-X file"):
        one = not zipfile.is_zipfile(path)
        frames = read_numbers(path) if one else next(iter(read_archive(path).values()))
    if frames.ndim != 2 or frames.shape[1] != _WIDTH:
        raise UserError(f"{path}: frames have the shape {frames.shape}, not (T, {_WIDTH})")
    return smpl_clip(name, path, _RATE, frames[:, :66], frames[:, _TRANS], up)
