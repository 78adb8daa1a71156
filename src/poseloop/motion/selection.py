"""Choosing poses that differ."""

import numpy as np


def root_align(joints: np.ndarray) -> np.ndarray:
    """Joints (N, 24, 3) with the pelvis at the origin."""
    return joints - joints[:, :1]


def farthest_point(joints: np.ndarray, count: int, start: int = 0) -> np.ndarray:
    """Farthest-point selection (DrPose section 2: 1.5 thousand poses out of 300 thousand).

    Each choice is the pose whose nearest chosen pose is farthest; the distance is the Euclidean
    one over all joints. The paper's fact sheet leaves the space open: root-aligned joints are
    that of its diversity figure.

    Parameters
    ----------
    joints : (N, J, 3)
        Root-aligned, metres.
    count : int
        At most N.
    start : int
        The first choice.

    Returns
    -------
    (count,) int
        Indices in the order of choice.

    Raises
    ------
    ValueError
        `count` is greater than N.
    """
    if count > len(joints):
        raise ValueError(f"{count} poses asked of {len(joints)}")
    points = joints.reshape(len(joints), -1).astype(np.float64)
    chosen = np.empty(count, np.int64)
    distance = np.full(len(points), np.inf)
    index = start
    for turn in range(count):
        chosen[turn] = index
        distance = np.minimum(distance, ((points - points[index]) ** 2).sum(1))
        distance[index] = -1.0  # never again, even among equal poses
        index = int(distance.argmax())
    return chosen
