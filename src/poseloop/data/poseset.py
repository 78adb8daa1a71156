"""The DrPose15K-style pose set: farthest-point poses and a picture of each.

facts/drpose.md 2: farthest-point sampling over dance poses, 9 temporal neighbours for each, one
picture per pose. The paper does not give the metric: root-aligned joint positions are the space
in which it states the set's spread.
"""

import numpy as np
import torch

from poseloop.body.kinematics import forward_kinematics
from poseloop.body.model import BodyModel
from poseloop.data.config import PoseSetConfig, Selection
from poseloop.data.crossing import cross_clips
from poseloop.data.people import sample_appearances, sample_bodies
from poseloop.data.poses import Poses, concatenate, mirror
from poseloop.data.posing import face_camera, sample_cameras, sitters
from poseloop.data.scans import make_studio, photograph_all
from poseloop.data.store import PoseSet, SelectedPoses
from poseloop.motion.selection import farthest_point, root_align
from poseloop.runtime.errors import UserError
from poseloop.runtime.seeds import numpy_rng


def root_aligned_joints(
    body: BodyModel, global_orient: np.ndarray, body_pose: np.ndarray
) -> np.ndarray:
    """Joints relative to the pelvis (N, 24, 3), metres, of the mean body in N poses."""
    with torch.inference_mode():
        joints = forward_kinematics(
            torch.from_numpy(global_orient), torch.from_numpy(body_pose), body.rest_joints()
        ).numpy()
    return root_align(joints)


def select_poses(poses: Poses, config: Selection, body: BodyModel, seed: int) -> SelectedPoses:
    """Choose anchors by farthest-point selection, and from ordinary clips; add their neighbours.

    Neighbours are the frames that follow an anchor in its clip; near the clip's end the run is
    shifted so that it fits, and a clip shorter than the run gives fewer poses.

    Parameters
    ----------
    poses : Poses
        Every recorded pose that may be chosen; their mirror images, and crossed clips where the
        config asks for them, may be chosen as well.

    Raises
    ------
    UserError
        More anchors are asked for than there are poses, or no pose is of an ordinary clip.
    """
    rng = numpy_rng(seed, "select poses")
    if config.cross_degrees is not None:
        poses = cross_clips(poses, config.cross_degrees)
    both = concatenate(poses, mirror(poses))
    ordinary_anchors = round(config.ordinary * config.anchors)
    candidates = np.flatnonzero(np.isin(both.clip, config.ordinary_clips))
    if config.anchors > len(both.clip):
        raise UserError(f"selection.anchors: {config.anchors} of {len(both.clip)} poses")
    if ordinary_anchors and not len(candidates):
        raise UserError(
            f"selection.ordinary_clips: none of {', '.join(config.ordinary_clips) or 'them'} is in "
            f"split {', '.join(config.splits)}"
        )
    joints = root_aligned_joints(body, both.global_orient, both.body_pose)
    chosen = farthest_point(joints, config.anchors - ordinary_anchors)
    ordinary = rng.choice(candidates, ordinary_anchors, replace=ordinary_anchors > len(candidates))
    rows, anchor, neighbour = [], [], []
    for number, start in enumerate(np.concatenate([chosen, ordinary])):
        run = _run(both, int(start), config)
        rows.append(run)
        anchor.append(np.full(len(run), number))
        neighbour.append(np.arange(len(run)))
    picked = both[np.concatenate(rows)]
    anchors = np.concatenate(anchor).astype(np.int32)
    return SelectedPoses(
        **vars(picked),
        anchor=anchors,
        neighbour=np.concatenate(neighbour).astype(np.int32),
        ordinary=anchors >= len(chosen),
    )


def make_pose_set(config: PoseSetConfig, selected: SelectedPoses, body: BodyModel) -> PoseSet:
    """One picture of a fresh person in each selected pose, by the generator `renderer`.

    The camera is the input camera: facing is drawn at random, a tilted camera turns the subject,
    and joints are normalised like a scan's, so the pose is in the model's input convention.
    """
    count = len(selected.clip)
    betas, body_id = sample_bodies(config.people, count, body.num_betas, config.seed)
    rng = numpy_rng(config.seed, "pose set cameras")
    cameras, pitch = sample_cameras(config.camera, count, rng)
    yaw = rng.uniform(-config.yaw, config.yaw, count)
    global_orient = face_camera(selected.global_orient, yaw, pitch)
    people = sitters(
        body,
        global_orient,
        selected.body_pose,
        betas,
        sample_appearances(config.people, count, config.seed),
        cameras,
        (config.seed, "pose set picture"),
    )
    studio = make_studio(body, config.picture, (), config.backdrop)
    shots = photograph_all(studio, people, config.processes, count)
    kept = ("input_rgb", "input_mask", "joints", "metres_per_unit")
    return PoseSet(
        **{name: shots[name] for name in kept},
        global_orient=global_orient,
        body_pose=selected.body_pose,
        betas=betas,
        clip=selected.clip,
        frame=selected.frame,
        body_id=body_id,
        ordinary=selected.ordinary,
    )


def describe(config: PoseSetConfig, pose_set: PoseSet) -> dict:
    """What a pose set was made of, as `scans.manifest` says of a view set."""
    names, counts = np.unique(pose_set.clip, return_counts=True)
    return {
        "set": "poseset",
        "seed": config.seed,
        "generator": config.generator,
        "people_stream": config.people.stream if config.generator == "renderer" else None,
        "bodies": int(len(np.unique(pose_set.body_id))),
        "poses": len(pose_set.clip),
        "ordinary": int(pose_set.ordinary.sum()),
        "splits": sorted(config.selection.splits),
        "clips": dict(zip(names.tolist(), counts.tolist(), strict=True)),
    }


def _run(poses: Poses, start: int, config: Selection) -> np.ndarray:
    """Indices of a pose and the frames that follow it in its clip, shifted to fit."""
    same = (poses.clip == poses.clip[start]) & (poses.mirrored == poses.mirrored[start])
    clip = np.flatnonzero(same)
    clip = clip[np.argsort(poses.frame[clip], kind="stable")]
    place = int(np.flatnonzero(clip == start)[0])
    span = config.stride * config.neighbours
    place = max(0, min(place, len(clip) - 1 - span))
    return clip[place : place + span + 1 : config.stride]
