"""How far a pose is from what training scans showed."""

import numpy as np


def pose_distance(joints: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Distance of each pose from the nearest reference pose, whatever way either body faces.

    Root-mean-square distance of root-aligned joints, least over all rotations about the vertical:
    scans are seen from any side, so the heading is no difficulty, but lying or upside down is.
    The best rotation has a closed form: with c and s the sums of dot and cross products in the
    ground plane, the greatest correlation is hypot(c, s).

    Parameters
    ----------
    joints, reference : (N, J, 3), (M, J, 3) arrays
        Metres, y up; joint 0 is the root.

    Returns
    -------
    (N,) array
        Metres.
    """
    a, b = (np.asarray(x, dtype=np.float64) - np.asarray(x)[:, :1] for x in (joints, reference))
    ax, ay, az = np.moveaxis(a, -1, 0)
    bx, by, bz = np.moveaxis(b, -1, 0)
    turned = np.hypot(ax @ bx.T + az @ bz.T, ax @ bz.T - az @ bx.T)
    squared = (a**2).sum((1, 2))[:, None] + (b**2).sum((1, 2)) - 2 * (ay @ by.T + turned)
    return np.sqrt(np.clip(squared.min(1), 0, None) / a.shape[1])
