"""How varied a set of poses is."""

import numpy as np


def joint_spread(joints: np.ndarray) -> np.ndarray:
    """Spread of each joint: root mean square distance from its mean place, metres.

    The paper compares the standard deviation of joint positions of its set and of its scans
    (1.73 times). Over the joints use `mean_spread`.

    Parameters
    ----------
    joints : (N, J, 3)
        Root-aligned; heading removed where it should not count.

    Returns
    -------
    (J,)
    """
    return np.sqrt(((joints - joints.mean(0)) ** 2).sum(-1).mean(0))


def mean_spread(joints: np.ndarray) -> float:
    """Mean of `joint_spread` over the joints that can move (the root cannot), metres."""
    return float(joint_spread(joints)[1:].mean())
