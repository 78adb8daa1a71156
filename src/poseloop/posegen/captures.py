"""Multi-view captures of the NeRF's subjects, and pictures as scenes for the fields."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import roma
import torch

from poseloop.body.model import BodyModel
from poseloop.data.config import Backdrop
from poseloop.data.mix import read_mix
from poseloop.data.people import sample_appearances, sample_bodies
from poseloop.data.poses import draw_poses
from poseloop.posegen.config_nerf import NerfConfig
from poseloop.posegen.field import Scene
from poseloop.posegen.imageset import ImageSet
from poseloop.posegen.photograph import Photographer
from poseloop.posegen.skeleton import SurfaceBody, pose_joints
from poseloop.posegen.views import crop_of
from poseloop.render.mesh import Light
from poseloop.runtime.errors import UserError
from poseloop.runtime.seeds import numpy_rng

EVEN_LIGHT = Light(np.array([0.0, 1.0, 0.0]), np.zeros(3), np.ones(3))
"""Light from everywhere: a field learns colours without shading, and is lit when rendered."""


def make_captures(config: NerfConfig, body: BodyModel, clips: str | Path) -> dict[str, ImageSet]:
    """Capture every subject in its own poses by the study's cameras.

    Returns
    -------
    dict of ImageSet
        `train`; `view`, the training poses from the held-out camera; `pose`, the held-out poses
        from the training cameras. `body_id` is the subject.
    """
    capture = config.capture
    looks = [
        replace(look, light=EVEN_LIGHT)
        for look in sample_appearances(capture.people, capture.subjects, config.seed)
    ]
    shapes, _ = sample_bodies(capture.people, capture.subjects, body.num_betas, config.seed)
    motion = read_mix(capture.motion, body, clips)
    photographer = Photographer(body, capture.picture)
    parts: dict[str, list[np.ndarray]] = {"train": [], "view": [], "pose": []}
    poses = []
    for subject in range(capture.subjects):
        count = capture.poses + capture.held_poses
        rng = numpy_rng(config.seed, "posegen", "captures", subject)
        poses.append(draw_poses(motion, capture.motion, count, rng))
        shown, held = np.split(np.arange(count), [capture.poses])
        for split, rows, azimuths in (
            ("train", shown, capture.azimuths),
            ("view", shown, [capture.held_azimuth]),
            ("pose", held, capture.azimuths),
        ):
            row, azimuth = (a.ravel() for a in np.meshgrid(rows, azimuths, indexing="ij"))
            parts[split].append(np.stack([np.full(len(row), subject), row, azimuth], axis=1))
    return {
        split: _shoot(config, photographer, looks, shapes, poses, np.concatenate(rows))
        for split, rows in parts.items()
    }


def _shoot(config, photographer, looks, shapes, poses, shots: np.ndarray) -> ImageSet:
    """Pictures of the rows (subject, pose, azimuth) of `shots` (N, 3)."""
    subject, row = shots[:, 0].astype(int), shots[:, 1].astype(int)

    def pick(name: str) -> np.ndarray:
        return np.stack([getattr(poses[s], name)[r] for s, r in zip(subject, row, strict=True)])

    count, capture = len(shots), config.capture
    camera = np.stack(
        [
            shots[:, 2],
            np.full(count, capture.elevation),
            np.zeros(count),
            np.full(count, capture.distance),
        ],
        axis=1,
    )
    return photographer.photograph(
        (pick("global_orient"), pick("body_pose"), shapes[subject]),
        camera.astype(np.float32),
        [looks[s] for s in subject],
        Backdrop(),
        [numpy_rng(config.seed, "posegen", "capture", shot) for shot in range(count)],
        (pick("clip"), subject),
    )


def scene_of(images: ImageSet, body: SurfaceBody) -> Scene:
    """The skeletons and cameras of pictures whose `body_id` is the subject, where the body is.

    Raises
    ------
    UserError
        Not every picture has a camera in front of the person.
    """
    pose = np.concatenate([images.global_orient, images.body_pose], axis=1).reshape(-1, 24, 3)
    rotmats = roma.rotvec_to_rotmat(torch.from_numpy(pose).to(body.device))
    rest = body.rest_joints(torch.from_numpy(images.betas).to(body.device))
    posed = pose_joints(rotmats, rest)
    centre, size = crop_of(posed.joints)
    distance = torch.from_numpy(images.camera[:, 3]).to(body.device)
    if (distance <= size / 2).any():
        raise UserError("camera: a distance that lies within the person")
    subject = torch.from_numpy(images.body_id.astype(np.int64)).to(body.device)
    return Scene(subject, posed.rotations, posed.joints, centre, size, distance)


def subject_betas(images: ImageSet) -> np.ndarray:
    """Shapes (M, K) of the subjects 0 to M-1 of captures.

    Raises
    ------
    UserError
        A subject is missing, or is seen from one view only: its depth would be free.
    """
    subjects = np.unique(images.body_id)
    if not np.array_equal(subjects, np.arange(len(subjects))):
        raise UserError(f"captures: subjects {subjects.tolist()} are not 0 to {len(subjects) - 1}")
    for subject in subjects:
        mine = images.body_id == subject
        if len(np.unique(images.camera[mine, 0])) < 2:
            raise UserError(f"captures: subject {subject} is seen from one view only")
    first = [np.flatnonzero(images.body_id == subject)[0] for subject in subjects]
    return images.betas[first]
