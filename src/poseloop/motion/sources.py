"""All motion sources behind one function."""

from pathlib import Path

import numpy as np

from poseloop.motion.amass import read_amass
from poseloop.motion.bvh import read_bvh
from poseloop.motion.clip import Clip
from poseloop.motion.config import SourceConfig
from poseloop.motion.deepmimic import clip_files, read_deepmimic
from poseloop.motion.motionx import read_motionx
from poseloop.motion.retarget import retarget
from poseloop.runtime.errors import UserError

# A recording has a frame every ten seconds at least: `motion.fps` asks for those between.
_SHORTEST_FRAME, _LONGEST_FRAME = 1e-5, 10.0
_SUFFIXES = {"bvh": (".bvh",), "amass": (".npz",), "motionx": (".npy", ".npz")}


def read_clips(source: SourceConfig, rest_joints: np.ndarray) -> list[Clip]:
    """Read the clips of a source as SMPL rotations, ordered by name.

    Parameters
    ----------
    source : SourceConfig
    rest_joints : (24, 3)
        Joints of the body's rest pose, metres, for retargeting.

    Raises
    ------
    UserError
        A file or a named clip is missing, or a file is damaged or of another skeleton.
    """
    files = clip_files(source.path) if source.kind == "deepmimic" else _find(source)
    missing = sorted(set(source.clips or ()) - set(files))
    if missing:
        raise UserError(
            f"sources.clips: no clip {', '.join(missing)} among the {source.kind} clips: "
            + ", ".join(files)
        )
    names = sorted(files if source.clips is None else set(source.clips))
    return [_checked(_read(source, name, files[name], rest_joints), files[name]) for name in names]


def _checked(clip: Clip, path: Path) -> Clip:
    """A clip that later steps can count on.

    Raises
    ------
    UserError
        Its bones have no length, or its numbers are so large or its times so far apart that
        nobody was recorded.
    """
    posed = np.concatenate([clip.global_orient, clip.body_pose, clip.transl], axis=1)
    known = np.zeros(0) if clip.source_joints is None else clip.source_joints
    # A joint that the source's skeleton lacks is NaN in every frame.
    if not np.isfinite(posed).all() or not (np.isfinite(known) | np.isnan(known).all(0)).all():
        raise UserError(f"{path}: bones without length, or numbers beyond any recording")
    steps = np.diff(clip.times)
    if not (steps > _SHORTEST_FRAME).all() or clip.times[-1] > _LONGEST_FRAME * len(steps):
        raise UserError(f"{path}: frames {steps.mean():g} s apart are no recording of motion")
    return clip


def _read(source: SourceConfig, name: str, path: Path, rest_joints: np.ndarray) -> Clip:
    if source.kind == "deepmimic":
        return retarget(read_deepmimic(name, path), rest_joints)
    if source.kind == "bvh":
        return retarget(read_bvh(name, path, source.first_frame), rest_joints)
    if source.kind == "amass":
        return read_amass(name, path, source.up or "z")
    return read_motionx(name, path, source.up or "y")


def _find(source: SourceConfig) -> dict[str, Path]:
    """Clips of a file or folder; in a folder a clip is called by its path without the suffix."""
    path = Path(source.path)
    if path.is_file():
        return {path.stem: path}
    suffixes = _SUFFIXES[source.kind]
    files = [file for file in sorted(path.rglob("*")) if file.suffix.lower() in suffixes]
    if not files:
        raise UserError(f"{path}: sources.path: no {' or '.join(suffixes)} files there")
    return {file.relative_to(path).with_suffix("").as_posix(): file for file in files}
