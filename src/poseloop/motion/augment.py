"""More poses from recorded ones: mirror, in-betweens, recombination, noise; and heading."""

import numpy as np
import roma
import torch
from torch import Tensor

from poseloop.body.joints import JOINT, MIRROR, PARENTS
from poseloop.motion.clip import Clip

LOWER_BODY = tuple(
    JOINT[f"{side}_{joint}"]
    for joint in ("hip", "knee", "ankle", "foot")
    for side in ("left", "right")
)
"""Joints of the legs; the pelvis, carried by `global_orient`, goes with them."""

Pose = tuple[np.ndarray, np.ndarray]
"""`global_orient` (N, 3) and `body_pose` (N, 69), axis-angle in radians."""

_REFLECT = np.array([1, -1, -1], np.float32)


def mirror_pose(global_orient: np.ndarray, body_pose: np.ndarray) -> Pose:
    """Mirror image of poses in the plane x = 0: left and right change places.

    (N, 3) and (N, 69) to the same shapes. Mirroring twice gives the pose back.
    """
    # A rotation vector is a pseudovector: the plane's own axis keeps its sign.
    joints = body_pose.reshape(-1, 23, 3)[:, np.asarray(MIRROR[1:]) - 1]
    return global_orient * _REFLECT, (joints * _REFLECT).reshape(-1, 69)


def remove_heading(global_orient: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Split orientations into a turn about the vertical and the rest.

    Swing and twist about y: unlike the projected facing direction this is defined for lying and
    falling bodies as well, and runs on through a cartwheel or a flip.

    Parameters
    ----------
    global_orient : (N, 3)
        Axis-angle, y up.

    Returns
    -------
    upright : (N, 3)
        Orientation without the heading: the body faces +z.
    yaw : (N,)
        Heading in radians, from +z towards +x; the orientation is the yaw after the rest.
    """
    orient = torch.from_numpy(np.asarray(global_orient, np.float64))
    quaternion = roma.rotvec_to_unitquat(orient)
    yaw = 2 * torch.atan2(quaternion[:, 1], quaternion[:, 3])
    yaw = torch.remainder(yaw + torch.pi, 2 * torch.pi) - torch.pi
    upright = roma.rotvec_composition([-_about_y(yaw), orient])
    return upright.float().numpy(), yaw.float().numpy()


def _about_y(yaw: Tensor) -> Tensor:
    return yaw[:, None] * torch.tensor([0.0, 1, 0], dtype=yaw.dtype)


def recombine(lower: Pose, upper: Pose) -> Pose:
    """Pelvis and legs of one pose with trunk, arms and head of another, row by row.

    Natural only if the trunks agree: choose rows with `agreeing_pairs`.
    """
    joints = upper[1].reshape(-1, 23, 3).copy()
    legs = np.asarray(LOWER_BODY) - 1
    joints[:, legs] = lower[1].reshape(-1, 23, 3)[:, legs]
    return lower[0].copy(), joints.reshape(-1, 69)


def agreeing_pairs(lower: Pose, upper: Pose, degrees: float) -> np.ndarray:
    """Rows of two sets of poses whose trunks lean alike.

    The orientation of the pelvis, heading removed, must differ by less than `degrees`, and so
    must that of the chest.

    Returns
    -------
    (P, 2) int
        Row of `lower`, row of `upper`, in ascending order.
    """
    agree = np.ones((len(lower[0]), len(upper[0])), bool)
    for first, second in zip(_trunks(lower), _trunks(upper), strict=True):
        # The trace of the relative rotation is 1 + 2 cos(angle).
        trace = first.reshape(-1, 9) @ second.reshape(-1, 9).T
        agree &= trace > 1 + 2 * np.cos(np.radians(degrees))
    return np.argwhere(agree)


def _trunks(pose: Pose) -> tuple[np.ndarray, np.ndarray]:
    """Orientations (N, 3, 3) of pelvis and chest without heading."""
    upright, _ = remove_heading(pose[0])
    pelvis = roma.rotvec_to_rotmat(torch.from_numpy(upright))
    local = roma.rotvec_to_rotmat(torch.from_numpy(pose[1].reshape(-1, 23, 3).astype(np.float32)))
    chest, joint, line = pelvis, JOINT["spine3"], []
    while joint > 0:
        line.append(joint)
        joint = PARENTS[joint]
    for joint in reversed(line):
        chest = chest @ local[:, joint - 1]
    return pelvis.numpy(), chest.numpy()


def measured_range(body_pose: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lowest and highest value (69,) that each rotation coordinate takes in (N, 69) poses."""
    return body_pose.min(0), body_pose.max(0)


def perturb(
    body_pose: np.ndarray,
    rng: np.random.Generator,
    degrees: float,
    limits: tuple[np.ndarray, np.ndarray] | None = None,
) -> np.ndarray:
    """Turn every joint by a little random rotation.

    Parameters
    ----------
    body_pose : (N, 69)
    rng
    degrees : float
        Standard deviation about each axis.
    limits : pair of (69,) arrays, optional
        From `measured_range`; a coordinate that the noise takes outside is brought back to them.
    """
    noise = rng.normal(0.0, np.radians(degrees), (len(body_pose), 23, 3))
    pose = torch.from_numpy(body_pose.reshape(-1, 23, 3).astype(np.float64))
    turned = roma.rotvec_composition([pose, torch.from_numpy(noise)])
    result = turned.reshape(-1, 69).float().numpy()
    return result if limits is None else np.clip(result, *limits)


def resample(clip: Clip, fps: float) -> Clip:
    """In-betweens: the clip at another rate, by spherical interpolation between frames."""
    count = int(np.floor(clip.times[-1] * fps + 1e-6)) + 1
    times = np.arange(count) / fps
    after = np.clip(np.searchsorted(clip.times, times, side="right"), 1, len(clip) - 1)
    before = after - 1
    share = (times - clip.times[before]) / (clip.times[after] - clip.times[before])
    share = np.clip(share, 0.0, 1.0)
    pose = torch.from_numpy(np.concatenate([clip.global_orient, clip.body_pose], axis=1)).double()
    pose = pose.reshape(-1, 24, 3)
    start = roma.rotvec_to_rotmat(pose[before])
    turn = roma.rotmat_to_rotvec(start.mT @ roma.rotvec_to_rotmat(pose[after]))
    partial = roma.rotvec_to_rotmat(torch.from_numpy(share)[:, None, None] * turn)
    between = roma.rotmat_to_rotvec(start @ partial).float().numpy()
    weight = share[:, None]
    path = (1 - weight) * clip.transl[before] + weight * clip.transl[after]
    return Clip(
        name=clip.name,
        times=times,
        global_orient=between[:, 0],
        body_pose=between[:, 1:].reshape(-1, 69),
        transl=path.astype(np.float32),
    )
