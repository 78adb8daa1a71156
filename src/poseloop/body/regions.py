"""Regions of the body's surface, by which clothing and colours are given."""

import numpy as np

from poseloop.body.joints import JOINT

REGIONS = (
    "hair",
    "face",
    "neck",
    "torso",
    "upper_arm",
    "forearm",
    "hand",
    "hips",
    "thigh",
    "shin",
    "foot",
)
"""Names of the region ids 0 to 10."""

_BY_OWNER = {
    "pelvis": "hips",
    "hip": "thigh",
    "spine1": "torso",
    "spine2": "torso",
    "spine3": "torso",
    "knee": "shin",
    "ankle": "foot",
    "foot": "foot",
    "neck": "neck",
    "collar": "torso",
    "head": "face",
    "shoulder": "upper_arm",
    "elbow": "forearm",
    "wrist": "hand",
    "hand": "hand",
}


def part_ids(weights: np.ndarray) -> np.ndarray:
    """Joint that moves each vertex most: (V, 24) skinning weights to (V,) int8."""
    return weights.argmax(1).astype(np.int8)


def region_ids(vertices: np.ndarray, parts: np.ndarray) -> np.ndarray:
    """Region of each vertex, an index into `REGIONS`: (V,) int8.

    Parameters
    ----------
    vertices : (V, 3)
        Rest pose; y up, facing +z.
    parts : (V,)
        From `part_ids`.
    """
    names = [REGIONS.index(_BY_OWNER[name.split("_")[-1]]) for name in JOINT]
    regions = np.asarray(names, np.int8)[parts]
    head = parts == JOINT["head"]
    if head.any():
        points = vertices[head]
        low, high = points.min(0), points.max(0)
        _, height, depth = ((points - low) / np.maximum(high - low, 1e-6)).T
        # The hair line runs from the nape to high above the brow.
        hair = height > 0.05 + 0.85 * depth
        regions[np.flatnonzero(head)[hair]] = REGIONS.index("hair")
    return regions
