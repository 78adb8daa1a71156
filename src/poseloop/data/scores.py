"""Which poses the frames of sequences show: drawn from motion, or the pose set's anchors."""

from dataclasses import dataclass

import numpy as np

from poseloop.data.clip_config import ClipSource
from poseloop.data.poses import Poses, mirror
from poseloop.data.store import SelectedPoses
from poseloop.runtime.errors import UserError


@dataclass(frozen=True)
class Score:
    """What N sequences of F frames show.

    global_orient, body_pose : (N, F, 3), (N, F, 69) float32
        Heading removed, as in `Poses`.
    clip : (N,) str
    pose : (N, F) int32
        As in `ClipSet`.
    """

    global_orient: np.ndarray
    body_pose: np.ndarray
    clip: np.ndarray
    pose: np.ndarray


def draw_score(
    poses: Poses, source: ClipSource, frames: int, stride: int, rng: np.random.Generator
) -> Score:
    """Draw sequences of following frames: a clip, all alike, then where it starts.

    Raises
    ------
    UserError
        No clip is long enough.
    """
    order = np.lexsort((poses.frame, poses.clip))
    names, times = poses.clip[order], poses.frame[order]
    span = stride * (frames - 1)
    early = max(0, len(names) - span)
    # A crossed clip leaves out the frames at which the trunks disagree: none may be missing.
    unbroken = (names[:early] == names[span:]) & (times[span:] - times[:early] == span)
    starts = np.flatnonzero(unbroken)
    if not len(starts):
        raise UserError(f"frames: no clip has {span + 1} frames in a row")
    known, count = np.unique(names[starts]), source.sequences
    first = np.array(
        [rng.choice(starts[names[starts] == name]) for name in rng.choice(known, count)]
    )
    rows = order[first[:, None] + stride * np.arange(frames)]
    flat = poses[rows.ravel()]
    turned = mirror(flat)
    chosen = np.repeat(rng.random(count) < source.mirror, frames)[:, None]
    return Score(
        np.where(chosen, turned.global_orient, flat.global_orient).reshape(count, frames, 3),
        np.where(chosen, turned.body_pose, flat.body_pose).reshape(count, frames, 69),
        poses.clip[rows[:, 0]],
        np.full((count, frames), -1, np.int32),
    )


def score_anchors(selected: SelectedPoses, frames: int, anchors: int | None) -> Score:
    """The selected poses as one sequence per anchor; short ones repeat their last pose."""
    numbers = np.unique(selected.anchor)[:anchors]
    rows, pose = [], []
    for number in numbers:
        run = np.flatnonzero(selected.anchor == number)
        run = run[np.argsort(selected.neighbour[run], kind="stable")][:frames]
        filling = frames - len(run)
        rows.append(np.concatenate([run, np.full(filling, run[-1])]))
        pose.append(np.concatenate([run, np.full(filling, -1)]))
    rows = np.stack(rows)
    return Score(
        selected.global_orient[rows],
        selected.body_pose[rows],
        selected.clip[rows[:, 0]],
        np.stack(pose).astype(np.int32),
    )
