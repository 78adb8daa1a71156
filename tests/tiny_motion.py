"""Small motion files of every format."""

import json
from pathlib import Path

import numpy as np

_LEG = "Zrotation Yrotation Xrotation"
_ARM = "Zrotation Xrotation Yrotation"


def deepmimic_rows(count: int = 6, seed: int = 0) -> list[list[float]]:
    """Frames of random rotations, 30 a second, root 0.9 m high."""
    rng = np.random.default_rng(seed)
    rows = rng.normal(0, 0.5, (count, 44))
    for start in (4, 8, 12, 16, 21, 25, 30, 35, 39):
        quaternion = np.array([1.0, 0, 0, 0]) + 0.4 * rng.normal(size=(count, 4))
        rows[:, start : start + 4] = quaternion / np.linalg.norm(quaternion, axis=1, keepdims=True)
    rows[:, 0] = 1 / 30
    rows[:, 1:4] = [0, 0.9, 0]
    return rows.tolist()


def rest_row() -> list[float]:
    """The figure at rest: arms and legs straight down."""
    row = np.zeros(44)
    row[0] = 1 / 30
    row[[4, 8, 12, 16, 21, 25, 30, 35, 39]] = 1
    return row.tolist()


def write_deepmimic(folder: Path, clips: dict[str, list]) -> Path:
    for name, rows in clips.items():
        content = {"Loop": "wrap", "Frames": rows}
        (folder / f"humanoid3d_{name}.txt").write_text(json.dumps(content))
    return folder


def bvh_text(frames: int = 5, arms: str = "down", seed: int = 0, degrees: float = 30.0) -> str:
    """A CMU-style skeleton, legs slanted at rest, arms down or spread; random rotations."""
    lines = ["HIERARCHY"]
    columns = 0

    def joint(name: str, offset: tuple, children: list, order: str = _LEG, kind: str = "JOINT"):
        nonlocal columns
        position = "6 Xposition Yposition Zposition " if kind == "ROOT" else "3 "
        columns += int(position[0])
        lines.extend([f"{kind} {name}", "{", "OFFSET " + " ".join(map(str, offset))])
        lines.append(f"CHANNELS {position}{order}")
        for child in children:
            child()
        if not children:
            lines.extend(["End Site", "{", "OFFSET 0 0 1", "}"])
        lines.append("}")

    def leg(side: str, sign: int):
        def toe():
            joint(f"{side}Toe", (0, -0.4, 2.1), [])

        def ankle():
            joint(f"{side}Ankle", (sign * 2.4, -6.5, 0), [toe])

        def knee():
            joint(f"{side}Knee", (sign * 2.5, -6.8, 0), [ankle])

        def hip():
            joint(f"{side}Hip", (sign * 1.2, -1.6, 0.7), [knee])

        return lambda: joint(f"{side[0]}HipJoint", (0, 0, 0), [hip])

    def arm(side: str, sign: int):
        reach = (0, -1, 0) if arms == "down" else (sign, 0, 0)

        def wrist():
            joint(f"{side}Wrist", tuple(3.3 * np.array(reach)), [], _ARM)

        def elbow():
            joint(f"{side}Elbow", tuple(4.3 * np.array(reach)), [wrist], _ARM)

        def shoulder():
            joint(f"{side}Shoulder", (sign * 3.0, 1.4, 0), [elbow], _ARM)

        return lambda: joint(f"{side}Collar", (0, 0, 0), [shoulder])

    def neck():
        joint("Neck", (0, 1.6, 0.1), [lambda: joint("Head", (0, 1.6, 0), [])])

    def chest():
        joint("Chest", (0, 2.0, 0), [lambda: joint("Chest2", (0, 2.0, 0), top)])

    top = [neck, arm("Left", 1), arm("Right", -1)]
    joint("Hips", (0, 0, 0), [leg("Left", 1), leg("Right", -1), chest], kind="ROOT")
    values = np.random.default_rng(seed).normal(0, degrees, (frames, columns))
    values[:, :3] = [0, 17, 0]
    lines += ["MOTION", f"Frames: {frames}", "Frame Time: 0.0083333"]
    lines += [" ".join(f"{value:.4f}" for value in row) for row in values]
    return "\n".join(lines) + "\n"
