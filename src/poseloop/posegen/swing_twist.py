"""Analytic inverse kinematics: rotations from joint positions and the twists about the bones.

HybrIK (fact sheet PoseGen 2): the swing that brings a rest bone onto its target is closed-form, the
twist about the bone is given, and the tree is solved from the root outward on reconstructed, not on
target, parents, so that an error of a joint is not carried on (its adaptive form).
"""

import roma
import torch
from torch import Tensor

from poseloop.body.joints import PARENTS
from poseloop.posegen.skeleton import LEVELS

_CHILDREN = [[c for c in range(24) if PARENTS[c] == j] for j in range(24)]
LEAVES = tuple(j for j in range(24) if not _CHILDREN[j])
"""Joints without children: positions say nothing of how they turn."""
BRANCHES = tuple(j for j in range(24) if len(_CHILDREN[j]) == 3)
"""Pelvis and chest: three rigid children fix their rotation."""
SINGLES = tuple(j for j in range(24) if len(_CHILDREN[j]) == 1)
"""Joints with one child: a swing from positions and a twist about the bone."""
_ORDER = [joint for level in LEVELS for joint in level]
_BACK = [_ORDER.index(joint) for joint in range(24)]


def swing_between(start: Tensor, end: Tensor) -> Tensor:
    """Smallest rotations (..., 3, 3) that turn directions `start` to those of `end`, (..., 3)."""
    a = torch.nn.functional.normalize(start, dim=-1)
    b = torch.nn.functional.normalize(end, dim=-1)
    cosine = (a * b).sum(-1, keepdim=True)
    # Where the two are opposite the axis is free; a direction aside of `a` decides.
    aside = torch.zeros_like(a).scatter(-1, a.abs().argmin(-1, keepdim=True), 1.0)
    half_turn = torch.nn.functional.normalize(torch.linalg.cross(a, aside), dim=-1)
    opposite = cosine < -1 + 1e-6
    xyz = torch.where(opposite, half_turn, torch.linalg.cross(a, b))
    w = torch.where(opposite, torch.zeros_like(cosine), 1 + cosine)
    quaternion = torch.nn.functional.normalize(torch.cat([xyz, w], dim=-1), dim=-1)
    return roma.unitquat_to_rotmat(quaternion)


def twist_about(axis: Tensor, twist: Tensor) -> Tensor:
    """Rotations (..., 3, 3) about `axis` (..., 3) by angles whose (cos, sin) are `twist`."""
    unit = torch.nn.functional.normalize(axis, dim=-1)
    cross = _skew(unit)
    cosine, sine = twist[..., :1, None], twist[..., 1:, None]
    return torch.eye(3, device=axis.device) + sine * cross + (1 - cosine) * (cross @ cross)


def decompose(rotmats: Tensor, rest_joints: Tensor) -> Tensor:
    """Twists of rotations about the rest bones, as (cos, sin) in the order of `SINGLES`.

    Parameters
    ----------
    rotmats : (B, 24, 3, 3)
    rest_joints : (B, 24, 3)

    Returns
    -------
    (B, len(SINGLES), 2)
    """
    joints = list(SINGLES)
    bone = rest_joints[:, [_CHILDREN[joint][0] for joint in joints]] - rest_joints[:, joints]
    rotation = rotmats[:, joints]
    swing = swing_between(bone, (rotation @ bone.unsqueeze(-1)).squeeze(-1))
    turn = swing.mT @ rotation
    unit = torch.nn.functional.normalize(bone, dim=-1)
    # Rodrigues: the trace holds the cosine, the skew part along the axis the sine.
    cosine = (turn.diagonal(dim1=-2, dim2=-1).sum(-1) - 1) / 2
    skew = torch.stack(
        [
            turn[..., 2, 1] - turn[..., 1, 2],
            turn[..., 0, 2] - turn[..., 2, 0],
            turn[..., 1, 0] - turn[..., 0, 1],
        ],
        dim=-1,
    )
    return torch.stack([cosine, (skew * unit).sum(-1) / 2], dim=-1)


def solve(joints: Tensor, rest_joints: Tensor, twists: Tensor, leaves: Tensor) -> Tensor:
    """Rotations whose forward kinematics meets `joints` as far as the bones' lengths allow.

    All joints of one level of the tree are solved at once.

    Parameters
    ----------
    joints : (B, 24, 3)
        Target positions relative to the pelvis.
    rest_joints : (B, 24, 3)
    twists : (B, len(SINGLES), 2)
        Unit (cos, sin) in the order of `SINGLES`.
    leaves : (B, len(LEAVES), 3, 3)
        Rotations of the joints `LEAVES` in their parents' frames.

    Returns
    -------
    (B, 24, 3, 3)
        The pelvis in the frame of `joints`, the others in their parents' frames.
    """
    solved, turned, placed = [], [], [joints[:, :1]]
    up = torch.eye(3, device=joints.device).expand(len(joints), 1, 3, 3)
    for depth, level in enumerate(LEVELS):
        if depth:
            parents = [PARENTS[joint] for joint in level]
            rows = [LEVELS[depth - 1].index(parent) for parent in parents]
            up = turned[-1][:, rows]
            bone = rest_joints[:, level] - rest_joints[:, parents]
            placed.append(placed[-1][:, rows] + (up @ bone.unsqueeze(-1)).squeeze(-1))
        found, order = [], []
        for kind in (SINGLES, BRANCHES, LEAVES):
            rows = [row for row, joint in enumerate(level) if joint in kind]
            these = [level[row] for row in rows]
            if not these:
                continue
            order += these
            given = [kind.index(joint) for joint in these]
            if kind is LEAVES:
                found.append(leaves[:, given])
                continue
            children = [_CHILDREN[joint] for joint in these]
            rest = rest_joints[:, children] - rest_joints[:, these].unsqueeze(2)
            target = (joints[:, children] - placed[-1][:, rows].unsqueeze(2)) @ up[:, rows]
            if kind is BRANCHES:
                found.append(_frame(target) @ _frame(rest).mT)
            else:
                swing = swing_between(rest[:, :, 0], target[:, :, 0])
                found.append(swing @ twist_about(rest[:, :, 0], twists[:, given]))
        local = torch.cat(found, 1)[:, [order.index(joint) for joint in level]]
        solved.append(local)
        turned.append(up @ local)
    return torch.cat(solved, 1)[:, _BACK]


def _frame(children: Tensor) -> Tensor:
    """Right-handed frames (..., 3, 3) fixed to three children (..., 3, 3) of a branching joint.

    Both branches have a left, a right and a middle child; the line from right to left is the
    first axis, and the middle child against the pair's middle gives the plane.
    """
    first, second, third = children.unbind(-2)
    # The pelvis has (left, right, middle); the chest has (middle, left, right): which child is
    # which does not matter, as long as it is the same in both frames.
    x = torch.nn.functional.normalize(first - second, dim=-1)
    y = third - (first + second) / 2
    y = torch.nn.functional.normalize(y - (y * x).sum(-1, keepdim=True) * x, dim=-1)
    return torch.stack([x, y, torch.linalg.cross(x, y)], dim=-1)


def _skew(vector: Tensor) -> Tensor:
    """Matrices (B, 3, 3) of the cross product with vectors (B, 3)."""
    x, y, z = vector.unbind(-1)
    zero = torch.zeros_like(x)
    return torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], dim=-1).unflatten(-1, (3, 3))
