"""Analytic inverse kinematics: rotations from joint positions and the twists about the bones.

HybrIK (fact sheet PoseGen 2): the swing that brings a rest bone onto its target is closed-form, the
twist about the bone is given, and the tree is solved from the root outward on reconstructed, not on
target, parents, so that an error of a joint is not carried on (its adaptive form).
"""

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
_ONLY = [_CHILDREN[joint][0] for joint in SINGLES]
_ORDER = [joint for level in LEVELS for joint in level]
_BACK = [_ORDER.index(joint) for joint in range(24)]


def swing_between(start: Tensor, end: Tensor) -> Tensor:
    """Smallest rotations (..., 3, 3) that turn directions `start` to those of `end`, (..., 3).

    A half turn about the one and then about what lies half way between them: exact also for
    directions that are almost opposite.
    """
    a, b = torch.nn.functional.normalize(start, dim=-1), torch.nn.functional.normalize(end, dim=-1)
    return _half_turn(_half_way(a, b, _across(a))) @ _half_turn(a)


def twist_about(axis: Tensor, twist: Tensor) -> Tensor:
    """Rotations (..., 3, 3) about `axis` (..., 3) by angles whose (cos, sin) are `twist`."""
    cross = _skew(torch.nn.functional.normalize(axis, dim=-1))
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
    bone = rest_joints[:, _ONLY] - rest_joints[:, SINGLES]
    rotation = rotmats[:, SINGLES]
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


def solve(
    joints: Tensor, rest_joints: Tensor, twists: Tensor, leaves: Tensor
) -> tuple[Tensor, Tensor]:
    """Rotations whose forward kinematics meets `joints` as far as the bones' lengths allow.

    All joints of one level of the tree are solved at once; what depends on the rest pose alone is
    computed for all levels together.

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
    (B, 24, 3, 3) and (B, 24, 3)
        The pelvis in the frame of `joints`, the others in their parents' frames; and the joints
        that they reach, with the pelvis where it is in `joints`.
    """
    bones = rest_joints[:, _ONLY] - rest_joints[:, SINGLES]
    axes = torch.nn.functional.normalize(bones, dim=-1)
    across, twisted = _across(axes), _half_turn(axes) @ twist_about(bones, twists)
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
            target = (joints[:, children] - placed[-1][:, rows].unsqueeze(2)) @ up[:, rows]
            if kind is BRANCHES:
                rest = rest_joints[:, children] - rest_joints[:, these].unsqueeze(2)
                found.append(_frame(target) @ _frame(rest).mT)
            else:
                aim = torch.nn.functional.normalize(target[:, :, 0], dim=-1)
                half_way = _half_way(axes[:, given], aim, across[:, given])
                found.append(_half_turn(half_way) @ twisted[:, given])
        local = torch.cat(found, 1)[:, [order.index(joint) for joint in level]]
        solved.append(local)
        turned.append(up @ local)
    return torch.cat(solved, 1)[:, _BACK], torch.cat(placed, 1)[:, _BACK]


def _half_turn(axis: Tensor) -> Tensor:
    """Half turns (..., 3, 3) about unit axes (..., 3)."""
    outer = axis.unsqueeze(-1) * axis.unsqueeze(-2)
    return 2 * outer - torch.eye(3, dtype=axis.dtype, device=axis.device)


def _across(unit: Tensor) -> Tensor:
    """Directions at right angles to unit ones, (..., 3); of no set length."""
    aside = torch.zeros_like(unit).scatter(-1, unit.abs().argmin(-1, keepdim=True), 1.0)
    return torch.linalg.cross(unit, aside)


def _half_way(a: Tensor, b: Tensor, across: Tensor) -> Tensor:
    """Unit directions half way between unit ones; `across` for opposite ones, where any will do."""
    total = a + b
    opposite = total.square().sum(-1, keepdim=True) < 2e-6
    return torch.nn.functional.normalize(torch.where(opposite, across, total), dim=-1)


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
