"""Drawing poses for a set from motion: by clip, mirrored, recombined and perturbed."""

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np

from poseloop.data.config import Motion, Split
from poseloop.data.stored import check_arrays
from poseloop.motion.augment import (
    agreeing_pairs,
    mirror_pose,
    perturb,
    recombine,
    remove_heading,
)
from poseloop.motion.config import SourceConfig
from poseloop.motion.sources import read_clips
from poseloop.runtime.errors import UserError
from poseloop.runtime.files import read_npz

_CLIPS = {
    "clip": ("U", ("N",)),
    "frame": ("i", ("N",)),
    "split": ("U", ("N",)),
    "mirrored": ("b", ("N",)),
    "global_orient": ("f", ("N", 3)),
    "body_pose": ("f", ("N", 69)),
}
# Frames among which pairs for recombination are sought; their number squared is held in memory.
_CANDIDATES = 512


@dataclass(frozen=True)
class Poses:
    """N poses with where they come from.

    global_orient, body_pose : (N, 3), (N, 69) float32 arrays
        Axis-angle, heading removed: the body faces +z.
    clip, frame, mirrored : (N,) str, int32 and bool arrays
        A recombined pose has the clip "upper+lower" and the frame of its upper body.
    """

    global_orient: np.ndarray
    body_pose: np.ndarray
    clip: np.ndarray
    frame: np.ndarray
    mirrored: np.ndarray

    def __getitem__(self, chosen: np.ndarray) -> "Poses":
        return Poses(*(getattr(self, field.name)[chosen] for field in fields(self)))


def read_poses(path: str | Path, splits: Iterable[Split], clips: Iterable[str] = ()) -> Poses:
    """Poses of a motion file (`motion/clips.npz`) that belong to `splits` and `clips`.

    Mirrored copies are left out: sets mirror for themselves.

    Parameters
    ----------
    clips : names
        Empty takes every clip of the splits.

    Raises
    ------
    UserError
        The file is unreadable or misshapen, a clip is not in it, is of another split, or nothing
        is left.
    """
    arrays = read_npz(path, *_CLIPS)
    check_arrays(path, arrays, _CLIPS)
    splits, clips = tuple(splits), tuple(clips)
    for clip in clips:
        found = set(arrays["split"][arrays["clip"] == clip].tolist())
        if not found:
            known = ", ".join(np.unique(arrays["clip"]).tolist())
            raise UserError(f"{path}: no clip {clip!r}; there are {known}")
        if not found <= set(splits):
            raise UserError(
                f"{path}: clip {clip!r} belongs to {', '.join(sorted(found))}, "
                f"not to {', '.join(splits)}"
            )
    wanted = np.isin(arrays["split"], splits) & ~arrays["mirrored"]
    if clips:
        wanted &= np.isin(arrays["clip"], clips)
    if not wanted.any():
        raise UserError(f"{path}: no poses of split {', '.join(splits)}")
    return Poses(
        remove_heading(arrays["global_orient"][wanted])[0],
        arrays["body_pose"][wanted].astype(np.float32),
        arrays["clip"][wanted],
        arrays["frame"][wanted],
        arrays["mirrored"][wanted],
    )


def read_own_poses(motion: Motion, rest_joints: np.ndarray) -> Poses:
    """Poses of the user's own files, which a mix names by `source` and `path`.

    Parameters
    ----------
    rest_joints : (24, 3) array
        Joints of the body's rest pose, metres, for retargeting.

    Raises
    ------
    UserError
        As `motion.sources.read_clips`.
    """
    source = SourceConfig(
        kind=motion.source, path=motion.path, clips=sorted(motion.clips) or None, up=motion.up
    )
    clips = read_clips(source, rest_joints)
    return Poses(
        remove_heading(np.concatenate([clip.global_orient for clip in clips]))[0],
        np.concatenate([clip.body_pose for clip in clips]).astype(np.float32),
        np.concatenate([np.full(len(clip), clip.name) for clip in clips]),
        np.concatenate([np.arange(len(clip), dtype=np.int32) for clip in clips]),
        np.zeros(sum(map(len, clips)), bool),
    )


def mirror(poses: Poses) -> Poses:
    """The same poses seen in a mirror."""
    return Poses(
        *mirror_pose(poses.global_orient, poses.body_pose),
        poses.clip,
        poses.frame,
        ~poses.mirrored,
    )


def concatenate(first: Poses, second: Poses) -> Poses:
    """The poses of both, in order."""
    return Poses(
        *(np.concatenate([getattr(first, f.name), getattr(second, f.name)]) for f in fields(Poses))
    )


def draw_poses(poses: Poses, mix: Motion, count: int, rng: np.random.Generator) -> Poses:
    """Draw `count` poses: a clip by its weight, then a frame, then the mix's changes.

    Parameters
    ----------
    poses : Poses
        Of the mix's clips.
    """
    chosen = poses[_draw(poses.clip, mix.clips, count, rng)]
    if mix.recombine > 0:
        joined = _recombined(poses, mix, count, rng)
        chosen = _where(rng.random(count) < mix.recombine, joined, chosen)
    if mix.joint_noise > 0:
        chosen = replace(chosen, body_pose=perturb(chosen.body_pose, rng, mix.joint_noise))
    return _where(rng.random(count) < mix.mirror, mirror(chosen), chosen)


def _recombined(poses: Poses, mix: Motion, count: int, rng: np.random.Generator) -> Poses:
    """Legs of one frame under the upper body of another whose trunk leans alike."""
    candidates = poses[_draw(poses.clip, mix.clips, _CANDIDATES, rng)]
    pose = candidates.global_orient, candidates.body_pose
    pairs = agreeing_pairs(pose, pose, mix.recombine_degrees)
    lower, upper = (candidates[rows] for rows in pairs[rng.integers(len(pairs), size=count)].T)
    global_orient, body_pose = recombine(
        (lower.global_orient, lower.body_pose), (upper.global_orient, upper.body_pose)
    )
    return Poses(
        global_orient,
        body_pose,
        np.char.add(np.char.add(upper.clip, "+"), lower.clip),
        upper.frame,
        upper.mirrored,
    )


def _draw(
    clip: np.ndarray, weights: dict[str, float], count: int, rng: np.random.Generator
) -> np.ndarray:
    """Indices (count,) of frames: clips by weight, frames of a clip alike.

    Systematic sampling: even over clips and along each, in random order.
    """
    names, index, sizes = np.unique(clip, return_inverse=True, return_counts=True)
    weight = np.array([weights.get(name, 0.0) if weights else 1.0 for name in names.tolist()])
    total = np.cumsum((weight / sizes)[index])
    places = (np.arange(count) + rng.random()) / count * total[-1]
    return rng.permutation(np.searchsorted(total, places, side="right").clip(max=len(clip) - 1))


def _where(condition: np.ndarray, first: Poses, second: Poses) -> Poses:
    """`first` where `condition` (N,), else `second`."""
    values = []
    for field in fields(Poses):
        a, b = getattr(first, field.name), getattr(second, field.name)
        values.append(np.where(condition.reshape(-1, *[1] * (a.ndim - 1)), a, b))
    return Poses(*values)
