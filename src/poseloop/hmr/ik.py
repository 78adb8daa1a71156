"""Analytic inverse kinematics: joints and twists to rotations, in the manner of HybrIK.

A bone's rotation is a swing, which its two ends fix, after a twist about the bone, which they do
not. Where a joint has several children (pelvis and chest), their directions fix all of it.
"""

import roma
import torch
from torch import Tensor

from poseloop.body.joints import PARENTS
from poseloop.hmr.skeleton_body import LEAF_PARENTS

_TREE = (*PARENTS, *LEAF_PARENTS)
_CHILDREN = [[child for child in range(1, 29) if _TREE[child] == joint] for joint in range(24)]


def swing(start: Tensor, end: Tensor) -> Tensor:
    """Smallest rotations (..., 3, 3) that turn the directions `start` (..., 3) into `end`."""
    a = torch.nn.functional.normalize(start, dim=-1)
    b = torch.nn.functional.normalize(end, dim=-1)
    # Opposite directions have no smallest turn; the clamp keeps the result finite there.
    cosine = (a * b).sum(-1, keepdim=True).clamp(min=-1 + 1e-6)
    return roma.unitquat_to_rotmat(
        torch.nn.functional.normalize(torch.cat([torch.linalg.cross(a, b), 1 + cosine], -1), dim=-1)
    )


def twist_angles(rotations: Tensor, rest: Tensor) -> Tensor:
    """Twist (..., 23), radians, of joints 1 to 23 about the bone to their first child.

    Parameters
    ----------
    rotations : (..., 24, 3, 3)
        Each in its parent's frame.
    rest : (..., 29, 3)
        Joints and leaves of the rest pose.
    """
    joints = list(range(1, 24))
    bone = rest[..., [_CHILDREN[joint][0] for joint in joints], :] - rest[..., joints, :]
    local = rotations[..., 1:, :, :]
    turned = (local @ bone.unsqueeze(-1)).squeeze(-1)
    about = swing(bone, turned).mT @ local
    axis = torch.nn.functional.normalize(bone.expand(turned.shape), dim=-1)
    quaternion = roma.rotmat_to_unitquat(about)
    return 2 * torch.atan2((quaternion[..., :3] * axis).sum(-1), quaternion[..., 3])


def inverse_kinematics(points: Tensor, twists: Tensor, rest: Tensor) -> Tensor:
    """Rotations (N, 24, 3, 3) that bring the rest pose to `points`.

    Positions are rebuilt down the tree, so that a bone of the wrong length does not tilt the bones
    after it (HybrIK's adaptive solution).

    Parameters
    ----------
    points : (N, 29, 3)
        From the pelvis, metres.
    twists : (N, 23, 2)
        Cosine and sine, in any length.
    rest : (N, 29, 3)
        Joints and leaves of the rest pose.
    """
    unit = torch.nn.functional.normalize(twists, dim=-1)
    world: list[Tensor] = []
    local: list[Tensor] = []
    place = [torch.zeros_like(points[:, 0])]
    root = torch.eye(3, device=points.device).expand(len(points), 3, 3)
    for joint in range(24):
        parent, children = PARENTS[joint], _CHILDREN[joint]
        if joint:
            bone = (rest[:, joint] - rest[:, parent]).unsqueeze(-1)
            place.append(place[parent] + (world[parent] @ bone).squeeze(-1))
        frame = world[parent] if joint else root
        bones = rest[:, children] - rest[:, joint, None]
        wanted = (points[:, children] - place[joint][:, None]) @ frame
        if len(children) > 1:
            rotation = roma.special_procrustes(wanted.mT @ bones)
        else:
            cosine, sine = unit[:, joint - 1].unbind(-1)
            half = 0.5 * torch.atan2(sine, cosine)[:, None]
            axis = torch.nn.functional.normalize(bones[:, 0], dim=-1)
            about = roma.unitquat_to_rotmat(torch.cat([axis * half.sin(), half.cos()], -1))
            rotation = swing(bones[:, 0], wanted[:, 0]) @ about
        local.append(rotation)
        world.append(frame @ rotation)
    return torch.stack(local, 1)
