"""From a captured skeleton to SMPL's rotations.

Each limb bone of the body points where the captured bone points: the difference between the two
rest poses (arms down or spread, legs slanted) is a fixed turn of the joint. The trunk and the
head take the captured orientation, shared along the joints between.
"""

import numpy as np
import roma
import torch
from torch import Tensor

from poseloop.body.joints import JOINT, PARENTS
from poseloop.motion.clip import Clip
from poseloop.motion.skeleton import SourceMotion

AIMS = {
    f"{side}_{joint}": f"{side}_{child}"
    for side in ("left", "right")
    for joint, child in (
        ("hip", "knee"),
        ("knee", "ankle"),
        ("ankle", "foot"),
        ("shoulder", "elbow"),
        ("elbow", "wrist"),
    )
}
"""Limb joints and the joint at the far end of their bone."""

_LIMB_ENDS = ("left_wrist", "right_wrist", "left_foot", "right_foot")
_COLLARS = ("left_collar", "right_collar")
_NECK_SHARE = 0.5


def retarget(motion: SourceMotion, rest_joints: np.ndarray) -> Clip:
    """SMPL rotations of a captured motion.

    Parameters
    ----------
    motion : SourceMotion
    rest_joints : (24, 3)
        Joints of the body's rest pose (a T-pose), metres. The motion is scaled by leg length.
    """
    motion = motion.in_smpl_axes()
    rest = torch.as_tensor(rest_joints, dtype=motion.offsets.dtype)
    source_rest = motion.rest()
    rotations, positions = motion.forward()
    world = _world_rotations(motion, rotations, source_rest, rest)
    local = [world[0]] + [world[PARENTS[joint]].mT @ world[joint] for joint in range(1, 24)]
    pose = roma.rotmat_to_rotvec(torch.stack(local, dim=1))
    at_joints = {JOINT[name]: index for name, index in motion.joints.items()}
    scale = _leg(rest, {index: index for index in at_joints}) / _leg(source_rest, at_joints)
    source_joints = torch.full((len(pose), 24, 3), torch.nan, dtype=pose.dtype)
    source_joints[:, list(at_joints)] = scale * positions[:, list(at_joints.values())]
    return Clip(
        name=motion.name,
        times=motion.times.numpy(),
        global_orient=pose[:, 0].float().numpy(),
        body_pose=pose[:, 1:].reshape(-1, 69).float().numpy(),
        transl=(source_joints[:, 0] - rest[0]).float().numpy(),
        source_joints=source_joints.numpy(),
    )


def _leg(rest: Tensor, joints: dict[int, int]) -> Tensor:
    """Length of the two legs from hip to ankle."""
    return sum(
        (rest[joints[JOINT[joint]]] - rest[joints[JOINT[AIMS[joint]]]]).norm()
        for joint in ("left_hip", "left_knee", "right_hip", "right_knee")
    )


def _world_rotations(
    motion: SourceMotion, rotations: Tensor, source_rest: Tensor, rest: Tensor
) -> list[Tensor]:
    """World orientation (T, 3, 3) of each SMPL joint."""
    turns = _rest_changes(motion, source_rest, rest)
    sources = {name: motion.joints[name] for name in turns if name in motion.joints}
    sources |= {"spine3": motion.chest, "head": motion.head}
    world: list[Tensor] = [rotations[:, sources["pelvis"]]] * 24
    given = {
        name: rotations[:, source] @ turns.get(name, torch.eye(3, dtype=rest.dtype))
        for name, source in sources.items()
    }
    trunk = roma.rotmat_to_rotvec(given["pelvis"].mT @ given["spine3"])
    for name, share in (("spine1", 1 / 3), ("spine2", 2 / 3)):
        given[name] = given["pelvis"] @ roma.rotvec_to_rotmat(share * trunk)
    nod = roma.rotmat_to_rotvec(given["spine3"].mT @ given["head"])
    given["neck"] = given["spine3"] @ roma.rotvec_to_rotmat(_NECK_SHARE * nod)
    for name, joint in JOINT.items():
        world[joint] = given.get(name, world[PARENTS[joint]])
    return world


def _rest_changes(motion: SourceMotion, source_rest: Tensor, rest: Tensor) -> dict[str, Tensor]:
    """Turn that brings the body's rest pose to the source's, for each joint that has a source."""
    identity = torch.eye(3, dtype=rest.dtype)
    turns = dict.fromkeys(("pelvis", *_COLLARS), identity)
    for name, child in AIMS.items():
        turns[name] = identity
        if child in motion.joints:
            bone = rest[JOINT[child]] - rest[JOINT[name]]
            source = source_rest[motion.joints[child]] - source_rest[motion.joints[name]]
            turns[name] = _rotation_between(bone, source)
    for name in _LIMB_ENDS:
        # Nothing beyond to aim at: hand and toes keep to the bone before.
        parent = next(joint for joint, child in AIMS.items() if child == name)
        turns[name] = turns[parent]
    return turns


def _rotation_between(start: Tensor, end: Tensor) -> Tensor:
    """Smallest rotation (3, 3) from one direction to another."""
    start, end = start / start.norm(), end / end.norm()
    axis = torch.linalg.cross(start, end)
    sine = axis.norm()
    if sine < 1e-12:
        return torch.eye(3, dtype=start.dtype)
    return roma.rotvec_to_rotmat(axis / sine * torch.atan2(sine, start @ end))
