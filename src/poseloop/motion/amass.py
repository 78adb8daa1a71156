"""AMASS npz files: SMPL, SMPL-H or SMPL-X rotations."""

from pathlib import Path

import numpy as np

from poseloop.motion.clip import Clip
from poseloop.motion.upright import smpl_clip
from poseloop.runtime.archives import read_archive
from poseloop.runtime.errors import UserError
from poseloop.runtime.refusing import refusing

_RATES = ("mocap_framerate", "mocap_frame_rate")
_WIDTHS = (72, 156, 165)


def read_amass(name: str, path: Path, up: str = "z") -> Clip:
    """Read one clip; hands are left flat, and the person's own betas are not used.

    Raises
    ------
    UserError
        An array is missing, of the wrong shape, or not finite.
    """
    arrays = _read(path)
    with refusing(path, f"{' or '.join(_RATES)} is not one number"):
        rate = next((float(arrays[key].item()) for key in _RATES if key in arrays), None)
    if rate is None or not 0 < rate < np.inf:
        raise UserError(f"{path}: no frame rate ({' or '.join(_RATES)})")
    if "poses" in arrays:
        poses = arrays["poses"]
        if poses.ndim != 2 or poses.shape[1] not in _WIDTHS:
            raise UserError(f"{path}: poses has the shape {poses.shape}, not (T, 156) or (T, 165)")
    elif "root_orient" in arrays and "pose_body" in arrays:
        with refusing(path, "root_orient and pose_body do not fit"):
            poses = np.concatenate([arrays["root_orient"], arrays["pose_body"]], axis=1)[:, :66]
    else:
        raise UserError(f"{path}: lacks the array poses (or root_orient and pose_body)")
    if "trans" not in arrays:
        raise UserError(f"{path}: lacks the array trans")
    return smpl_clip(name, path, rate, poses[:, :66], arrays["trans"], up)


def _read(path: Path) -> dict[str, np.ndarray]:
    """Numeric arrays; others, such as names kept as Python objects, stay unread."""
    wanted = ("poses", "root_orient", "pose_body", "trans", *_RATES)
    with refusing(path, "not a readable AMASS npz"):
        return read_archive(path, wanted)
