"""The table of all motion frames that later steps draw poses from."""

from collections.abc import Sequence

import numpy as np

from poseloop.motion.augment import mirror_pose, resample
from poseloop.motion.clip import Clip
from poseloop.motion.config import MotionConfig, SplitConfig
from poseloop.motion.sources import read_clips
from poseloop.motion.verify import retarget_error
from poseloop.runtime.errors import UserError


def prepare(config: MotionConfig, rest_joints: np.ndarray) -> tuple[dict[str, np.ndarray], dict]:
    """Read all sources, check the retargeting, and lay out all frames.

    Parameters
    ----------
    config : MotionConfig
    rest_joints : (24, 3)
        Joints of the body's rest pose, metres.

    Returns
    -------
    arrays : dict
        clip, split (F,) str; frame (F,) i32; mirrored (F,) bool; fps (F,) f32; global_orient
        (F, 3), body_pose (F, 69), transl (F, 3) f32.
    report : dict
        Error, frames and split of each clip.

    Raises
    ------
    UserError
        A source is faulty, two clips share a name, or a split names a clip that is not there.
    """
    clips = [clip for source in config.sources for clip in read_clips(source, rest_joints)]
    splits = split_of([clip.name for clip in clips], config.splits)
    report = {
        clip.name: {
            "split": splits[clip.name],
            "frames": len(clip),
            "fps": round(clip.fps, 3),
            "error": retarget_error(clip, rest_joints),
        }
        for clip in clips
    }
    if config.fps is not None:
        clips = [resample(clip, config.fps) for clip in clips]
    tables = [_table(clip, splits[clip.name], False) for clip in clips]
    if config.mirror:
        tables += [_table(clip, splits[clip.name], True) for clip in clips]
    arrays = {name: np.concatenate([table[name] for table in tables]) for name in tables[0]}
    return arrays, report


def split_of(names: Sequence[str], splits: SplitConfig) -> dict[str, str]:
    """Split of each clip: "val" or "test" where named, else "train".

    Raises
    ------
    UserError
        Two clips share a name, or a split names a clip that is not there.
    """
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UserError(f"sources: two clips are called {', '.join(twice)}")
    found = dict.fromkeys(names, "train")
    for split in ("val", "test"):
        for name in getattr(splits, split):
            if name not in found:
                raise UserError(f"splits.{split}: no clip {name} among {', '.join(sorted(names))}")
            found[name] = split
    return found


def _table(clip: Clip, split: str, mirrored: bool) -> dict[str, np.ndarray]:
    count = len(clip)
    global_orient, body_pose, transl = clip.global_orient, clip.body_pose, clip.transl
    if mirrored:
        global_orient, body_pose = mirror_pose(global_orient, body_pose)
        transl = transl * np.array([-1, 1, 1], np.float32)
    return {
        "clip": np.full(count, clip.name),
        "frame": np.arange(count, dtype=np.int32),
        "split": np.full(count, split),
        "mirrored": np.full(count, mirrored),
        "fps": np.full(count, clip.fps, np.float32),
        "global_orient": global_orient,
        "body_pose": body_pose,
        "transl": transl,
    }
