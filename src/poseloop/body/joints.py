"""The 24 joints of SMPL: names, tree, bones and left-right pairs."""

JOINT_NAMES = (
    "pelvis",
    "left_hip",
    "right_hip",
    "spine1",
    "left_knee",
    "right_knee",
    "spine2",
    "left_ankle",
    "right_ankle",
    "spine3",
    "left_foot",
    "right_foot",
    "neck",
    "left_collar",
    "right_collar",
    "head",
    "left_shoulder",
    "right_shoulder",
    "left_elbow",
    "right_elbow",
    "left_wrist",
    "right_wrist",
    "left_hand",
    "right_hand",
)
"""SMPL's joints in SMPL's order."""

PARENTS = (-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19, 20, 21)
"""Parent of each joint; a parent always precedes its children."""


def _levels() -> list[list[int]]:
    depth = [0] * len(PARENTS)
    for joint, parent in enumerate(PARENTS[1:], 1):
        depth[joint] = depth[parent] + 1
    return [[j for j, d in enumerate(depth) if d == level] for level in range(max(depth) + 1)]


LEVELS = _levels()
"""Joints by depth in the tree, the pelvis first: those of a level depend only on levels above."""

BONES = tuple((PARENTS[child], child) for child in range(1, 24))
"""The 23 bones as (parent, child), in the order of their child joint."""

JOINT = {name: index for index, name in enumerate(JOINT_NAMES)}
"""Index of a joint by its name."""


def _mirrored(name: str) -> str:
    if name.startswith("left_"):
        return "right_" + name.removeprefix("left_")
    if name.startswith("right_"):
        return "left_" + name.removeprefix("right_")
    return name


MIRROR = tuple(JOINT[_mirrored(name)] for name in JOINT_NAMES)
"""For each joint, the joint that takes its place in a mirror."""

LEFT_RIGHT = tuple(
    (index, MIRROR[index]) for index, name in enumerate(JOINT_NAMES) if name.startswith("left_")
)
"""(left, right) pairs of joints."""
