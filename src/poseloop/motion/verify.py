"""How well retargeted rotations follow the captured skeleton."""

import numpy as np
import torch

from poseloop.body.joints import JOINT
from poseloop.body.kinematics import forward_kinematics
from poseloop.motion.clip import Clip
from poseloop.motion.retarget import AIMS

_DIGITS = 4  # what is smaller is rounding, and differs between machines
_TRUNK = (("pelvis", "neck"), ("right_shoulder", "left_shoulder"), ("right_hip", "left_hip"))
_LIMBS = tuple(
    tuple(f"{side}_{joint}" for joint in line)
    for side in ("left", "right")
    for line in (("hip", "knee", "ankle"), ("shoulder", "elbow", "wrist"))
)


def retarget_error(clip: Clip, rest_joints: np.ndarray) -> dict[str, float] | None:
    """Compare forward kinematics of both skeletons; None if the source holds SMPL rotations.

    Directions are compared, because the proportions differ. For millimetres, each limb is laid
    out again from its root with the captured bone lengths and the retargeted directions.

    Returns
    -------
    dict
        `limb_deg_mean`, `limb_deg_max`: angle between limb bones, degrees.
        `trunk_deg_mean`: angle of the lines pelvis to neck, shoulder to shoulder, hip to hip,
        which also differ by the rest poses. `limb_mm_mean`, `limb_mm_max`: distance of the ends
        of the limbs after scaling the bones.
    """
    if clip.source_joints is None:
        return None
    joints = forward_kinematics(
        torch.from_numpy(clip.global_orient).double(),
        torch.from_numpy(clip.body_pose).double(),
        torch.from_numpy(np.asarray(rest_joints, np.float64)),
    ).numpy()
    source = clip.source_joints
    limb = [_angle(joints, source, *bone) for bone in AIMS.items() if _has(source, bone[1])]
    trunk = [_angle(joints, source, *line) for line in _TRUNK]
    ends = [_end_distance(joints, source, line) for line in _LIMBS]
    errors = {
        "limb_deg_mean": np.mean(limb),
        "limb_deg_max": np.max(limb),
        "trunk_deg_mean": np.mean(trunk),
        "limb_mm_mean": 1000 * np.mean(ends),
        "limb_mm_max": 1000 * np.max(ends),
    }
    return {name: round(float(value), _DIGITS) for name, value in errors.items()}


def _has(source: np.ndarray, name: str) -> bool:
    return bool(np.isfinite(source[:, JOINT[name]]).all())


def _line(joints: np.ndarray, start: str, end: str) -> np.ndarray:
    return joints[:, JOINT[end]] - joints[:, JOINT[start]]


def _angle(joints: np.ndarray, source: np.ndarray, start: str, end: str) -> np.ndarray:
    """Angles (T,) in degrees; by the tangent, which stays exact near zero."""
    mine, theirs = _line(joints, start, end), _line(source, start, end)
    sine = np.linalg.norm(np.cross(mine, theirs), axis=1)
    return np.degrees(np.arctan2(sine, (mine * theirs).sum(1)))


def _end_distance(joints: np.ndarray, source: np.ndarray, line: tuple[str, ...]) -> np.ndarray:
    """Distance (T,) between the ends of a limb, in metres, at the captured bone lengths."""
    difference = np.zeros((len(joints), 3))
    for start, end in zip(line[:-1], line[1:], strict=True):
        mine, theirs = _line(joints, start, end), _line(source, start, end)
        length = np.linalg.norm(theirs, axis=1, keepdims=True)
        difference += mine / np.linalg.norm(mine, axis=1, keepdims=True) * length - theirs
    return np.linalg.norm(difference, axis=1)
