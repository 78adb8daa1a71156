"""A body small enough for tests: a block of six vertices at each joint."""

import numpy as np

from poseloop.body.joints import JOINT, PARENTS

_BLOCK = 0.03 * np.concatenate([np.eye(3), -np.eye(3)])
_OFFSETS = {
    "hip": (0.1, -0.05, 0.0),
    "knee": (0.02, -0.42, 0.0),
    "ankle": (0.02, -0.41, -0.02),
    "foot": (0.0, -0.06, 0.13),
    "collar": (0.07, 0.12, 0.0),
    "shoulder": (0.12, 0.01, 0.0),
    "elbow": (0.27, 0.0, 0.0),
    "wrist": (0.26, 0.0, 0.0),
    "hand": (0.09, 0.0, 0.0),
    "spine1": (0.0, 0.1, 0.0),
    "spine2": (0.0, 0.12, 0.0),
    "spine3": (0.0, 0.13, 0.01),
    "neck": (0.0, 0.2, -0.02),
    "head": (0.0, 0.08, 0.02),
}


def rest_joints() -> np.ndarray:
    """A T-pose (24, 3), symmetric in x."""
    joints = np.zeros((24, 3))
    for name, index in JOINT.items():
        if index:
            offset = np.array(_OFFSETS[name.split("_")[-1]])
            if name.startswith("right"):
                offset[0] *= -1
            joints[index] = joints[PARENTS[index]] + offset
    return joints


def smpl_arrays(joints: np.ndarray | None = None, parents=PARENTS, betas: int = 10) -> dict:
    """Arrays of an SMPL-family file with the given joints, one-hot weights, random shapes."""
    joints = rest_joints() if joints is None else joints
    count = len(joints)
    rng = np.random.default_rng(0)
    vertices = (joints[:, None] + _BLOCK).reshape(-1, 3)
    owners = np.repeat(np.arange(count), 6)
    corners = np.array([[0, 1, 2], [1, 3, 2], [3, 4, 2], [4, 0, 2]] + [[1, 0, 5], [3, 1, 5]])
    corners = np.concatenate([corners, [[4, 3, 5], [0, 4, 5]]])
    tree = np.array([parents, range(count)], np.int64)
    tree[0, 0] = 2**32 - 1
    return {
        "v_template": vertices.astype(np.float32),
        "shapedirs": rng.normal(0, 0.01, (len(vertices), 3, betas)).astype(np.float32),
        "posedirs": rng.normal(0, 0.001, (len(vertices), 3, 9 * (count - 1))).astype(np.float32),
        "J_regressor": (np.eye(count)[owners].T / 6).astype(np.float32),
        "weights": np.eye(count, dtype=np.float32)[owners],
        "f": (6 * np.arange(count)[:, None, None] + corners).reshape(-1, 3).astype(np.uint32),
        "kintree_table": tree,
    }
