"""How widely joints are spread: the pose set against the scans (facts/drpose.md 2: 1.73 times)."""

import numpy as np

from poseloop.motion.statistics import mean_spread

PUBLISHED_RATIO = 1.73
"""Spread of DrPose15K over THuman2.1's, as the paper states it."""


def diversity(pose_set: np.ndarray, scans: np.ndarray, bins: int = 40) -> dict:
    """Compare the root-aligned joints (N, J, 3), metres, of a pose set with those of scans.

    Returns
    -------
    Spreads in metres, their ratio, the published ratio, and densities of the distance of joints
    from their mean position (which is what the spread measures) over common bins.
    """
    distances = [
        np.linalg.norm(joints - joints.mean(axis=0), axis=2) for joints in (pose_set, scans)
    ]
    edges = np.linspace(0.0, max(float(d.max()) for d in distances), bins + 1)
    densities = [np.histogram(distance, edges, density=True)[0] for distance in distances]
    spreads = mean_spread(pose_set), mean_spread(scans)
    return {
        "spread_poseset_m": round(spreads[0], 5),
        "spread_scans_m": round(spreads[1], 5),
        "ratio": round(spreads[0] / spreads[1], 4),
        "published_ratio": PUBLISHED_RATIO,
        "poses": {"poseset": len(pose_set), "scans": len(scans)},
        "distance_bin_edges_m": edges.round(4).tolist(),
        "distance_density": {
            "poseset": densities[0].round(4).tolist(),
            "scans": densities[1].round(4).tolist(),
        },
    }
