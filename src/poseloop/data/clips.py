"""Making sequences: of motion for training and measurement, and of the pose set's anchors."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from poseloop.body.model import BodyModel
from poseloop.data.clip_config import ClipSetsConfig, ClipSource
from poseloop.data.clipset import ClipSet
from poseloop.data.config import Backdrop, InputCamera, People, PoseSetConfig
from poseloop.data.crossing import cross_clips
from poseloop.data.filming import FilmStudio, Performance
from poseloop.data.people import sample_appearances, sample_bodies
from poseloop.data.poses import Poses, read_poses
from poseloop.data.posing import face_camera, sample_cameras
from poseloop.data.scans import make_studio, photograph_all
from poseloop.data.scores import Score, draw_score, score_anchors
from poseloop.data.store import SelectedPoses
from poseloop.render.parts import part_colours
from poseloop.runtime.errors import UserError
from poseloop.runtime.seeds import numpy_rng

_BATCH = 8


def make_clip_set(
    config: ClipSetsConfig, name: str, body: BodyModel, motion: str | Path
) -> tuple[ClipSet, dict]:
    """Sequences drawn from motion: the set `train` or `held_out`.

    Returns
    -------
    ClipSet, and its manifest: streams, splits, clips and counts.

    Raises
    ------
    UserError
        Faulty motion, or no clip is long enough.
    """
    source: ClipSource = getattr(config, name)
    rng = numpy_rng(config.seed, "animate clips", name)
    poses = read_poses(motion, source.splits, source.clips)
    references = read_poses(motion, source.splits, source.reference_clips)
    if source.cross_degrees is not None:
        poses = cross_clips(poses, source.cross_degrees)
    score = draw_score(poses, source, config.frames, config.stride, rng)
    clips = _film(config, name, source.people, config.camera, score, references, body, rng)
    names, counts = np.unique(clips.clip, return_counts=True)
    return clips, {
        "set": name,
        "seed": config.seed,
        "people_stream": source.people.stream,
        "bodies": int(len(np.unique(clips.body_id))),
        "sequences": len(clips),
        "splits": sorted(source.splits),
        "clips": dict(zip(names.tolist(), counts.tolist(), strict=True)),
    }


def make_driving_set(
    config: ClipSetsConfig,
    poseset: PoseSetConfig,
    selected: SelectedPoses,
    body: BodyModel,
    motion: str | Path,
) -> tuple[ClipSet, dict]:
    """One sequence for each anchor of the pose set and its neighbours, of one person.

    People, facing and camera are drawn as for the pose set's own pictures; the reference picture
    shows an ordinary pose. The true frames are what the renderer would have made of it.

    Raises
    ------
    UserError
        A sequence of the pose set is longer than those that the model learns.
    """
    if poseset.selection.neighbours + 1 > config.frames:
        raise UserError(
            f"frames: {config.frames} frames do not hold the pose set's anchors with their "
            f"{poseset.selection.neighbours} neighbours (selection.neighbours of poseset.yaml)"
        )
    score = score_anchors(selected, config.frames, config.anchors)
    references = read_poses(motion, poseset.selection.splits, poseset.selection.ordinary_clips)
    rng = numpy_rng(config.seed, "animate clips", "poseset")
    clips = _film(config, "poseset", poseset.people, poseset.camera, score, references, body, rng)
    return clips, {
        "set": "poseset",
        "seed": config.seed,
        "people_stream": poseset.people.stream,
        "bodies": int(len(np.unique(clips.body_id))),
        "sequences": len(clips),
        "poses": int((clips.pose >= 0).sum()),
        "splits": sorted(poseset.selection.splits),
    }


def _film(
    config: ClipSetsConfig,
    name: str,
    people: People,
    camera: InputCamera,
    score: Score,
    references: Poses,
    body: BodyModel,
    rng: np.random.Generator,
) -> ClipSet:
    """Photograph a score with people, cameras and reference poses of their own streams."""
    count, frames = score.pose.shape
    betas, body_id = sample_bodies(people, count, body.num_betas, config.seed)
    cameras, pitch = sample_cameras(camera, count, rng)
    yaw, reference_yaw = rng.uniform(-config.yaw, config.yaw, (2, count))
    chosen = references[rng.integers(len(references.clip), size=count)]
    global_orient = face_camera(
        score.global_orient.reshape(-1, 3), np.repeat(yaw, frames), np.repeat(pitch, frames)
    ).reshape(count, frames, 3)
    reference_orient = face_camera(chosen.global_orient, reference_yaw, pitch)
    appearances = sample_appearances(people, count, config.seed)

    def performances() -> Iterator[list[Performance]]:
        for start in range(0, count, _BATCH):
            rows = np.arange(start, min(start + _BATCH, count))
            orient = np.concatenate([global_orient[rows], reference_orient[rows, None]], axis=1)
            pose = np.concatenate([score.body_pose[rows], chosen.body_pose[rows, None]], axis=1)
            with torch.inference_mode():
                posed = body(
                    torch.from_numpy(orient.reshape(-1, 3)),
                    torch.from_numpy(pose.reshape(-1, 69)),
                    torch.from_numpy(np.repeat(betas[rows], frames + 1, axis=0)),
                )
            vertices, joints = (
                values.numpy().reshape(len(rows), frames + 1, -1, 3) for values in posed
            )
            yield [
                Performance(
                    vertices[i, :-1],
                    joints[i, :-1],
                    vertices[i, -1],
                    appearances[row],
                    cameras[row],
                )
                for i, row in enumerate(rows)
            ]

    base = make_studio(body, config.picture, (), Backdrop())
    studio = FilmStudio(base.faces, base.atlas, part_colours(body.weights.numpy()), config.picture)
    shots = photograph_all(studio, performances(), config.processes, count)
    return ClipSet(
        **shots,
        global_orient=global_orient,
        body_pose=score.body_pose,
        betas=betas,
        clip=score.clip,
        body_id=body_id,
        pose=score.pose,
    )
