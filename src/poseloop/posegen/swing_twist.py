"""Analytic inverse kinematics: rotations from joint positions and the twists about the bones.

HybrIK (fact sheet PoseGen 2): the swing that brings a rest bone onto its target is closed-form, the
twist about the bone is given, and the tree is solved from the root outward on reconstructed, not on
target, parents, so that an error of a joint is not carried on (its adaptive form).
"""

from itertools import groupby
from typing import NamedTuple

import torch
from torch import Tensor

from poseloop.body.joints import LEVELS, PARENTS
from poseloop.posegen.skeleton import UP, select

_CHILDREN = [[c for c in range(24) if PARENTS[c] == j] for j in range(24)]
LEAVES = tuple(j for j in range(24) if not _CHILDREN[j])
"""Joints without children: positions say nothing of how they turn."""
BRANCHES = tuple(j for j in range(24) if len(_CHILDREN[j]) == 3)
"""Pelvis and chest: three rigid children fix their rotation."""
SINGLES = tuple(j for j in range(24) if len(_CHILDREN[j]) == 1)
"""Joints with one child: a swing from positions and a twist about the bone."""
_ONLY = [_CHILDREN[joint][0] for joint in SINGLES]


class _Run(NamedTuple):
    """Neighbours of one level of the tree that are solved alike."""

    kind: tuple[int, ...]
    joints: list[int]


class _Level(NamedTuple):
    """Joints of one depth, and which of the level above their parents are; the root has its own."""

    above: list[int]
    runs: list[_Run]


def _tree() -> list[_Level]:
    """Levels from the root outward: SMPL's joints are numbered by their depth."""
    tree, above = [], LEVELS[0]
    for level in LEVELS:
        runs = [_Run(kind, list(run)) for kind, run in groupby(level, _kind)]
        tree.append(_Level([above.index(UP[joint]) for joint in level], runs))
        above = level
    return tree


def _kind(joint: int) -> tuple[int, ...]:
    return next(kind for kind in (LEAVES, BRANCHES, SINGLES) if joint in kind)


_TREE = _tree()


def swing_between(start: Tensor, end: Tensor) -> Tensor:
    """Smallest rotations (..., 3, 3) that turn directions `start` to those of `end`, (..., 3).

    A half turn about the one and then about what lies half way between them: exact also for
    directions that are almost opposite.
    """
    axis = torch.nn.functional.normalize(start, dim=-1)
    return _swung(_half_turn(axis), axis, end, _across(axis))


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
    bones = rest_joints - select(rest_joints, UP)
    along = select(bones, _ONLY)
    axes = torch.nn.functional.normalize(along, dim=-1)
    twisted = _half_turn(axes) @ twist_about(along, twists)
    of_singles = (twisted, axes, select(joints, _ONLY), _across(axes))
    singles = zip(*(values.split(_sizes(SINGLES), 1) for values in of_singles), strict=True)
    ends = iter(leaves.split(_sizes(LEAVES), 1))
    solved, placed = [], [joints[:, :1]]
    turned = torch.eye(3, dtype=joints.dtype, device=joints.device).expand(len(joints), 1, 3, 3)
    widths = [len(level.above) for level in _TREE]
    for level, bone in zip(_TREE, bones.split(widths, 1), strict=True):
        up = select(turned, level.above)
        placed.append(select(placed[-1], level.above) + (up * bone.unsqueeze(-2)).sum(-1))
        sizes = [len(run.joints) for run in level.runs]
        found = []
        parts = placed[-1].split(sizes, 1), up.split(sizes, 1)
        for run, place, frame in zip(level.runs, *parts, strict=True):
            if run.kind is LEAVES:
                found.append(next(ends))
            elif run.kind is SINGLES:
                before, axis, goal, across = next(singles)
                aim = ((goal - place).unsqueeze(-1) * frame).sum(-2)
                found.append(_swung(before, axis, aim, across))
            else:
                children = [_CHILDREN[joint] for joint in run.joints]
                target = (joints[:, children] - place.unsqueeze(2)) @ frame
                rest = rest_joints[:, children] - rest_joints[:, run.joints].unsqueeze(2)
                found.append(_frame(target) @ _frame(rest).mT)
        solved.append(torch.cat(found, 1))
        turned = up @ solved[-1]
    return torch.cat(solved, 1), torch.cat(placed[1:], 1)


def _sizes(kind: tuple[int, ...]) -> list[int]:
    """Lengths of the runs of joints of one kind, from the root outward."""
    return [len(run.joints) for level in _TREE for run in level.runs if run.kind is kind]


def _half_turn(axis: Tensor) -> Tensor:
    """Half turns (..., 3, 3) about unit axes (..., 3)."""
    outer = axis.unsqueeze(-1) * axis.unsqueeze(-2)
    return 2 * outer - torch.eye(3, dtype=axis.dtype, device=axis.device)


def _across(unit: Tensor) -> Tensor:
    """Directions at right angles to unit ones, (..., 3); of no set length."""
    aside = torch.zeros_like(unit).scatter(-1, unit.abs().argmin(-1, keepdim=True), 1.0)
    return torch.linalg.cross(unit, aside)


def _swung(matrices: Tensor, axis: Tensor, end: Tensor, across: Tensor) -> Tensor:
    """Matrices (..., 3, 3) after the half turn about what is half way from `axis` to `end`.

    `axis` (..., 3) is of unit length, `end` of any. `across` stands in where the two are opposite
    and any direction at right angles will do.
    """
    length = end.norm(dim=-1, keepdim=True)
    opposite = (axis * end).sum(-1, keepdim=True) <= (1e-6 - 1) * length
    about = torch.where(opposite, across, length * axis + end)
    share = about / about.square().sum(-1, keepdim=True)
    seen = (about.unsqueeze(-1) * matrices).sum(-2, keepdim=True)
    return 2 * share.unsqueeze(-1) * seen - matrices


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
