"""AIST++ pickles: SMPL rotations of dancers, one file per dance.

A file (`motions/<sequence>.pkl`) is a pickled dictionary with `smpl_poses` (T, 72) or (T, 24, 3),
axis-angle; `smpl_trans` (T, 3); and `smpl_scaling` (1,), the size of the recorded dancer in the
cameras' units over SMPL's metres. Recorded at 60 frames a second with y up; there are no betas
(google/aistplusplus_api: loader.py, demos/extract_motion_feats.py).
"""

from pathlib import Path

import numpy as np

from poseloop.body.safe_pickle import read_pickled_arrays
from poseloop.motion.clip import Clip
from poseloop.motion.upright import smpl_clip
from poseloop.runtime.errors import UserError

RATE = 60.0
_ARRAYS = ("smpl_poses", "smpl_trans", "smpl_scaling")


def read_aistpp(name: str, path: Path) -> Clip:
    """Read one clip, its path in metres of SMPL's mean body; the hands are left flat.

    Raises
    ------
    UserError
        The file is no pickle of arrays, or an array is missing, of the wrong shape or not finite.
    """
    arrays = read_pickled_arrays(path)
    missing = [array for array in _ARRAYS if array not in arrays]
    if missing:
        raise UserError(f"{path}: lacks the array(s) {', '.join(missing)}")
    poses, trans, scaling = (arrays[array] for array in _ARRAYS)
    if poses.ndim < 2 or poses.size != 72 * len(poses):
        raise UserError(f"{path}: smpl_poses has the shape {poses.shape}, not (T, 72)")
    if scaling.size != 1 or not 0 < scaling.item() < np.inf:
        raise UserError(f"{path}: smpl_scaling is not one number above 0")
    poses = poses.reshape(len(poses), 72)
    return smpl_clip(name, path, RATE, poses[:, :66], trans / scaling.item(), "y")


def amass_arrays(clip: Clip) -> dict[str, np.ndarray]:
    """A clip of constant frame rate as the arrays of an AMASS file with y up (`read_amass`)."""
    return {
        "poses": np.concatenate([clip.global_orient, clip.body_pose], axis=1),
        "trans": clip.transl,
        "mocap_framerate": np.float64(clip.fps),
    }
