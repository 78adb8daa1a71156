"""Recorded SMPL rotations as a clip with y up."""

from pathlib import Path

import numpy as np
import roma
import torch

from poseloop.motion.clip import Clip
from poseloop.runtime.errors import UserError

_Z_TO_Y = torch.tensor([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]], dtype=torch.float64)


def smpl_clip(
    name: str, path: Path, rate: float, poses: np.ndarray, trans: np.ndarray, up: str
) -> Clip:
    """Check recorded rotations and turn them to y up.

    The recorded body's pelvis offset is unknown here, so the path is right up to a constant.

    Parameters
    ----------
    rate : float
        Frames a second.
    poses : (T, 66)
        Axis-angle of the pelvis and the 21 body joints; the hands stay flat.
    trans : (T, 3)
        Metres.
    up : str
        The recording's vertical axis, "y" or "z".

    Raises
    ------
    UserError
        The arrays do not fit each other, are too short, or are not finite.
    """
    if poses.ndim != 2 or poses.shape[1] != 66 or len(poses) < 2:
        raise UserError(f"{path}: poses have the shape {poses.shape}, not (2 or more, 66)")
    if trans.shape != (len(poses), 3):
        raise UserError(f"{path}: trans has the shape {trans.shape}, not ({len(poses)}, 3)")
    for field, values in (("poses", poses), ("trans", trans)):
        # In single precision, as they are kept.
        if values.dtype.kind not in "iuf" or not np.isfinite(values.astype(np.float32)).all():
            raise UserError(f"{path}: {field} has values that are not finite numbers")
    orient = torch.from_numpy(poses[:, :3].astype(np.float64))
    path_of_root = torch.from_numpy(trans.astype(np.float64))
    if up == "z":
        orient = roma.rotmat_to_rotvec(_Z_TO_Y @ roma.rotvec_to_rotmat(orient))
        path_of_root = path_of_root @ _Z_TO_Y.T
    body_pose = np.zeros((len(poses), 69), np.float32)
    body_pose[:, :63] = poses[:, 3:]
    return Clip(
        name=name,
        times=np.arange(len(poses)) / rate,
        global_orient=orient.float().numpy(),
        body_pose=body_pose,
        transl=path_of_root.float().numpy(),
    )
