"""BVH files of CMU-style skeletons."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import roma
import torch

from poseloop.motion.skeleton import SourceMotion
from poseloop.runtime.errors import UserError
from poseloop.runtime.files import require_file
from poseloop.runtime.refusing import refusing

# Names in use, the surest first: `LeftShoulder` is a collar beside `LeftArm`, else a shoulder.
_ALIASES = {
    "pelvis": ("Hips", "Hip", "Pelvis"),
    "neck": ("Neck", "lowerneck", "LowerNeck", "Neck1"),
    "head": ("Head",),
} | {
    f"{side.lower()}_{joint}": tuple(side + name for name in names)
    for side in ("Left", "Right")
    for joint, names in {
        "hip": ("UpLeg", "Thigh", "Hip"),
        "knee": ("Leg", "Shin", "Knee"),
        "ankle": ("Foot", "Ankle"),
        "foot": ("ToeBase", "Toe"),
        "collar": ("Collar", "Clavicle"),
        "shoulder": ("Arm", "UpArm", "UpperArm", "Shoulder"),
        "elbow": ("ForeArm", "LowArm", "Elbow"),
        "wrist": ("Hand", "Wrist"),
    }.items()
}
_OPTIONAL = {"head", "left_foot", "right_foot", "left_collar", "right_collar"}
_POSITIONS = ("Xposition", "Yposition", "Zposition")
_ROTATIONS = ("Xrotation", "Yrotation", "Zrotation")

# Every frame has a rotation of every joint: a few tokens each could ask for any memory.
_MOST_JOINTS = 1000


@dataclass
class _Hierarchy:
    names: list[str] = field(default_factory=list)
    parents: list[int] = field(default_factory=list)
    offsets: list[list[float]] = field(default_factory=list)
    channels: list[list[str]] = field(default_factory=list)


def read_bvh(name: str, path: Path, first_frame: int = 0) -> SourceMotion:
    """Read one file; `first_frame` skips a leading T-pose, as the CMU conversions of 2008 have.

    Raises
    ------
    UserError
        The file is truncated or malformed, lacks a joint, or holds values that are not finite.
    """
    with refusing(path, "not a BVH file"):
        tokens = require_file(path, "BVH file").read_text().split()
    with refusing(path, "truncated or malformed BVH"):
        hierarchy, start = _read_hierarchy(tokens)
        values, frame_time = _read_motion(tokens[start:], hierarchy)
    unusable = ~np.isfinite(values).all(1)
    if unusable.any():
        raise UserError(f"{path}: frame {unusable.argmax()}: values that are not finite")
    if len(values) - first_frame < 2:
        raise UserError(f"{path}: Frames: needs at least two after first_frame {first_frame}")
    values = torch.from_numpy(values[first_frame:])
    joints = _find_joints(hierarchy.names, path)
    rotations, root = _rotations(values, hierarchy)
    return SourceMotion(
        name=name,
        times=torch.arange(len(values), dtype=torch.float64) * frame_time,
        parents=tuple(hierarchy.parents),
        offsets=torch.tensor(hierarchy.offsets, dtype=torch.float64),
        rotations=rotations,
        root=root,
        joints=joints,
        chest=_chest(joints, hierarchy.parents, path),
        head=joints.get("head", joints["neck"]),
    )


def _read_hierarchy(tokens: list[str]) -> tuple[_Hierarchy, int]:
    """The joints, and the position after `MOTION`."""
    if tokens[0] != "HIERARCHY":
        raise ValueError("does not begin with HIERARCHY")
    found = _Hierarchy()
    open_joints: list[int] = []
    position, ending = 1, False
    while tokens[position] != "MOTION":
        token = tokens[position]
        position += 1
        if token in ("ROOT", "JOINT"):
            found.names.append(tokens[position].rpartition(":")[2])
            found.parents.append(open_joints[-1] if open_joints else -1)
            found.channels.append([])
            position += 1
        elif token == "End":
            ending = True
            position += 1
        elif token == "{":
            open_joints.append(open_joints[-1] if ending else len(found.names) - 1)
        elif token == "}":
            open_joints.pop()
            ending = False
        elif token == "OFFSET":
            if not ending:
                found.offsets.append([float(value) for value in tokens[position : position + 3]])
            position += 3
        elif token == "CHANNELS":
            count = int(tokens[position])
            if not 0 <= count <= len(_POSITIONS + _ROTATIONS):
                raise ValueError(f"a joint of {count} channels")
            found.channels[-1] = tokens[position + 1 : position + 1 + count]
            position += 1 + count
        else:
            raise ValueError(f"unexpected {token!r} in HIERARCHY")
    if not len(found.names) == len(found.offsets) or found.parents.count(-1) != 1:
        raise ValueError("HIERARCHY needs one ROOT, and an OFFSET for every joint")
    if len(found.names) > _MOST_JOINTS:
        raise ValueError(f"a skeleton of {len(found.names)} joints, more than {_MOST_JOINTS}")
    if not np.isfinite(found.offsets).all():
        raise ValueError("OFFSET: values that are not finite")
    return found, position + 1


def _read_motion(tokens: list[str], hierarchy: _Hierarchy) -> tuple[np.ndarray, float]:
    """Channel values (T, C) and seconds per frame."""
    if tokens[0] != "Frames:" or tokens[2:4] != ["Frame", "Time:"]:
        raise ValueError("MOTION needs `Frames:` and `Frame Time:`")
    frames, frame_time = int(tokens[1]), float(tokens[4])
    width = sum(map(len, hierarchy.channels))
    values = np.array(tokens[5:], dtype=np.float64)
    if values.size != frames * width:
        raise ValueError(f"MOTION has {values.size} values, {frames} frames need {frames * width}")
    if not frame_time > 0:
        raise ValueError("Frame Time is not positive")
    return values.reshape(frames, width), frame_time


def _rotations(values: torch.Tensor, hierarchy: _Hierarchy) -> tuple[torch.Tensor, torch.Tensor]:
    """Local rotations (T, S, 3, 3), in the order of the channels, and the root's path (T, 3)."""
    root = torch.tensor(hierarchy.offsets[0], dtype=values.dtype).repeat(len(values), 1)
    rotations, column = [], 0
    for joint, channels in enumerate(hierarchy.channels):
        mine = values[:, column : column + len(channels)]
        column += len(channels)
        turning = [index for index, name in enumerate(channels) if name in _ROTATIONS]
        if turning:
            order = "".join(channels[index][0] for index in turning)
            angles = [mine[:, index] for index in turning]
            rotations.append(roma.euler_to_rotmat(order, angles, degrees=True))
        else:
            rotations.append(torch.eye(3, dtype=values.dtype).expand(len(values), 3, 3))
        if joint == 0:
            for axis, name in enumerate(_POSITIONS):
                if name in channels:
                    root[:, axis] = mine[:, channels.index(name)]
    return torch.stack(rotations, dim=1), root


def _find_joints(names: list[str], path: Path) -> dict[str, int]:
    joints, missing = {}, []
    for joint, aliases in _ALIASES.items():
        alias = next((alias for alias in aliases if alias in names), None)
        if alias is not None:
            joints[joint] = names.index(alias)
        elif joint not in _OPTIONAL:
            missing.append(f"{joint} ({' or '.join(aliases)})")
    if missing:
        raise UserError(f"{path}: HIERARCHY: wrong skeleton, no {', '.join(missing)}")
    for side in ("Left", "Right"):
        if f"{side}Shoulder" in names and f"{side}Arm" in names:
            joints[f"{side.lower()}_collar"] = names.index(f"{side}Shoulder")
    return joints


def _chest(joints: dict[str, int], parents: list[int], path: Path) -> int:
    """The joint from which neck and both arms branch off."""

    def ancestors(joint: int) -> list[int]:
        line = []
        while joint >= 0:
            line.append(joint)
            joint = parents[joint]
        return line

    left, right = (ancestors(joints[f"{side}_shoulder"])[1:] for side in ("left", "right"))
    shared = set(left) & set(right) & set(ancestors(joints["neck"])[1:])
    if not shared:
        raise UserError(f"{path}: HIERARCHY: wrong skeleton, neck and arms have no common joint")
    return next(joint for joint in left if joint in shared)
