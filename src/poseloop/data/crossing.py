"""New clips from recorded ones: the legs of one under the upper body of another.

A motion archive as the paper's has millions of frames; the embedded clips have a thousand or two
for training, and their pose set would hold few ways to hold the arms for any way to stand.
"""

from functools import reduce
from itertools import permutations

import numpy as np

from poseloop.data.poses import Poses, concatenate
from poseloop.motion.augment import agreeing_pairs, recombine


def cross_clips(poses: Poses, degrees: float) -> Poses:
    """Every ordered pair of clips played side by side, the frames at which their trunks agree.

    The second clip starts at the shift that makes most frames agree, so that the frames of a
    crossed clip follow each other in time as those of a recorded one do.

    Parameters
    ----------
    poses : Poses
        Of one or more clips, not mirrored, the frames of a clip in order.
    degrees : float
        Pelvis and chest, heading removed, must differ by less.

    Returns
    -------
    Poses
        The given ones and then the crossed ones: clip "upper+lower", frame of the lower body.
    """
    names = np.unique(poses.clip).tolist()
    crossed = [
        _cross(poses[poses.clip == lower], poses[poses.clip == upper], degrees)
        for lower, upper in permutations(names, 2)
    ]
    return reduce(concatenate, crossed, poses)


def _cross(lower: Poses, upper: Poses, degrees: float) -> Poses:
    pairs = agreeing_pairs(
        (lower.global_orient, lower.body_pose), (upper.global_orient, upper.body_pose), degrees
    )
    shifts, counts = np.unique(pairs[:, 1] - pairs[:, 0], return_counts=True)
    if len(shifts):
        pairs = pairs[pairs[:, 1] - pairs[:, 0] == shifts[counts.argmax()]]
    legs, body = lower[pairs[:, 0]], upper[pairs[:, 1]]
    global_orient, body_pose = recombine(
        (legs.global_orient, legs.body_pose), (body.global_orient, body.body_pose)
    )
    names = np.char.add(np.char.add(body.clip, "+"), legs.clip)
    return Poses(global_orient, body_pose, names, legs.frame, legs.mirrored)
