"""Making a view set from its description: scans and benchmarks alike."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import torch

from poseloop.body.model import BodyModel
from poseloop.data import posing
from poseloop.data.config import Backdrop, Picture, ViewSetConfig, ViewSetsConfig
from poseloop.data.mix import read_mix
from poseloop.data.parallel import map_ordered
from poseloop.data.people import sample_appearances, sample_bodies
from poseloop.data.poses import draw_poses
from poseloop.data.shards import shard_of
from poseloop.data.store import ViewSet
from poseloop.data.studio import Sitter, Studio
from poseloop.render.atlas import make_atlas
from poseloop.runtime.seeds import numpy_rng


def make_view_set(
    config: ViewSetsConfig, name: str, body: BodyModel, clips: str | Path
) -> tuple[ViewSet, dict]:
    """Render the set `name`, or the shard of it of that name (`shards.files_of`).

    Parameters
    ----------
    config : ViewSetsConfig
        The whole file; the streams of a set depend on its seed and the set's name and people.
    body : BodyModel
    clips : path
        The study's motion file, for sets that name no files of their own.

    Returns
    -------
    ViewSet, and its manifest: streams, seed, clips and counts.

    Raises
    ------
    UserError
        No such set or shard, or faulty motion.
    """
    name, rows = shard_of(config, name, posing.POSED_TOGETHER)
    entry = config.sets[name]
    count = entry.subjects
    motion = read_mix(entry.motion, body, clips)
    poses = draw_poses(motion, entry.motion, count, numpy_rng(config.seed, "poses", name))
    betas, body_id = sample_bodies(entry.people, count, body.num_betas, config.seed)
    rng = numpy_rng(config.seed, "cameras", name)
    cameras, pitch = posing.sample_cameras(entry.camera, count, rng)
    yaw = rng.uniform(-entry.motion.yaw, entry.motion.yaw, count)
    global_orient = posing.face_camera(poses.global_orient, yaw, pitch)[rows]
    poses, betas, body_id = poses[rows], betas[rows], body_id[rows]
    people = posing.sitters(
        body,
        global_orient,
        poses.body_pose,
        betas,
        sample_appearances(entry.people, count, config.seed)[rows],
        cameras[rows],
        (config.seed, "picture", name),
        rows.start,
    )
    studio = make_studio(body, config.picture, config.azimuths, entry.backdrop)
    shots = photograph_all(studio, people, config.processes, len(betas))
    if entry.half_vertices:
        shots["vertices"] = shots["vertices"].astype(np.float16)
    views = ViewSet(
        **shots,
        faces=body.faces.astype(np.int32),
        global_orient=global_orient,
        body_pose=poses.body_pose,
        betas=betas,
        clip=poses.clip,
        frame=poses.frame,
        body_id=body_id,
        azimuths=np.asarray(config.azimuths, np.float32),
    )
    return views, manifest(config.seed, name, entry, poses.clip, body_id)


def manifest(
    seed: int, name: str, entry: ViewSetConfig, clip: np.ndarray, body_id: np.ndarray
) -> dict:
    """What a set was made of: for people to read, and for the check that splits are disjoint."""
    names, counts = np.unique(clip, return_counts=True)
    return {
        "set": name,
        "seed": seed,
        "people_stream": entry.people.stream,
        "bodies": int(len(np.unique(body_id))),
        "subjects": len(clip),
        "splits": sorted(entry.motion.splits),
        "clips": dict(zip(names.tolist(), counts.tolist(), strict=True)),
    }


def make_studio(
    body: BodyModel, picture: Picture, azimuths: tuple[float, ...], backdrop: Backdrop
) -> Studio:
    """The studio of a body model."""
    with torch.inference_mode():
        joints = body.rest_joints()[0].numpy()
    atlas = make_atlas(body.v_template.numpy(), joints, body.weights.numpy())
    return Studio(body.faces, atlas, picture, azimuths, backdrop)


def photograph_all(
    studio: Studio, batches: Iterable[Sequence[Sitter]], processes: int, count: int
) -> dict[str, np.ndarray]:
    """Photograph `count` sitters, given in batches, into arrays (count, ...) in their order.

    The result does not depend on `processes`.
    """
    arrays: dict[str, np.ndarray] = {}
    shots = map_ordered(studio.photograph, batches, processes)
    for index, shot in enumerate(shots):
        for name, value in shot.items():
            if name not in arrays:
                arrays[name] = np.empty((count, *np.shape(value)), np.asarray(value).dtype)
            arrays[name][index] = value
    return arrays
