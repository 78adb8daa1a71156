"""BVH files from joints in motion, for `kind: bvh` of motion.yaml."""

import numpy as np

from poseloop.motion.gltf import JointMotion

_CHANNELS = "Zrotation Xrotation Yrotation"


def bvh_text(motion: JointMotion) -> str:
    """The file's text: depth first, positions for the root alone, six decimals."""
    order: list[int] = []
    lines = ["HIERARCHY", *_joint_lines(motion, motion.parents.index(-1), 0, order)]
    angles = [motion.rotations[joint].as_euler("ZXY", degrees=True) for joint in order]
    rows = np.concatenate([motion.root, *angles], axis=1)
    lines += ["MOTION", f"Frames: {len(rows)}", f"Frame Time: {1 / motion.fps:.8f}"]
    lines += [" ".join(f"{value:.6f}" for value in row) for row in rows]
    return "\n".join(lines) + "\n"


def _joint_lines(motion: JointMotion, joint: int, depth: int, order: list[int]) -> list[str]:
    order.append(joint)
    indent = "  " * depth
    kind, channels = ("JOINT", f"3 {_CHANNELS}")
    if depth == 0:
        kind, channels = "ROOT", f"6 Xposition Yposition Zposition {_CHANNELS}"
    offset = " ".join(f"{value:.6f}" for value in motion.offsets[joint])
    inside = [f"OFFSET {offset}", f"CHANNELS {channels}"]
    children = [child for child, parent in enumerate(motion.parents) if parent == joint]
    if not children:
        inside += ["End Site", "{", "  OFFSET 0 0 0", "}"]
    lines = [f"{indent}{kind} {motion.names[joint].replace(' ', '_')}", f"{indent}{{"]
    lines += [f"{indent}  {line}" for line in inside]
    for child in children:
        lines += _joint_lines(motion, child, depth + 1, order)
    return [*lines, f"{indent}}}"]
