"""Start poses of the body fit: diverse frames, rendered once, found again by their pictures."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from poseloop.body.model import BodyModel
from poseloop.data.poses import Poses, concatenate, mirror
from poseloop.data.poseset import root_aligned_joints
from poseloop.data.posing import face_camera
from poseloop.data.studio import bounding_box
from poseloop.motion.selection import farthest_point
from poseloop.reconstruct.body_fit import KINDS, Start
from poseloop.reconstruct.config import Starts
from poseloop.reconstruct.targets import Targets
from poseloop.render.cameras import Camera
from poseloop.render.mesh import unit, vertex_normals
from poseloop.render.raycast import cast
from poseloop.runtime.errors import UserError
from poseloop.runtime.files import read_npz, write_npz
from poseloop.runtime.refusing import refusing


def make_starts(
    body: BodyModel, poses: Poses, azimuths: Sequence[float], config: Starts
) -> dict[str, np.ndarray]:
    """Select poses, and render the normals of each at every facing.

    Parameters
    ----------
    poses : Poses
        Heading removed; each counts mirrored too.

    Returns
    -------
    dict
        `global_orient` (N, 3) and `body_pose` (N, 69) float32, axis-angle in the view frame;
        `normal` (N, C, s, s, 3) float16, normals of the view frame, zero outside; `azimuths`
        (C,) float32.

    Raises
    ------
    UserError
        There are fewer poses than the config asks for.
    """
    both = concatenate(poses, mirror(poses))
    if config.poses > len(both.clip):
        raise UserError(f"starts.poses: {config.poses} asked of {len(both.clip)} in the splits")
    joints = root_aligned_joints(body, both.global_orient, both.body_pose)
    chosen = both[farthest_point(joints, config.poses)]
    count = len(config.yaws)
    yaw = np.tile(np.asarray(config.yaws), config.poses)
    orient = face_camera(np.repeat(chosen.global_orient, count, 0), yaw, np.zeros(len(yaw)))
    pose = np.repeat(chosen.body_pose, count, 0)
    pictures = [
        _normals(body, *each, azimuths, config.size) for each in zip(orient, pose, strict=True)
    ]
    return {
        "global_orient": orient,
        "body_pose": pose,
        "normal": np.stack(pictures).astype(np.float16),
        "azimuths": np.asarray(azimuths, np.float32),
    }


def _normals(
    body: BodyModel,
    global_orient: np.ndarray,
    body_pose: np.ndarray,
    azimuths: Sequence[float],
    size: int,
) -> np.ndarray:
    """Normals (C, s, s, 3) of one pose, centred and scaled as the views are."""
    with torch.inference_mode():
        posed = body(torch.from_numpy(global_orient)[None], torch.from_numpy(body_pose)[None])
    vertices = posed.vertices[0].numpy()
    centre, diagonal = bounding_box(vertices)
    vertices = (vertices - centre) / diagonal
    hits = cast(vertices, body.faces, [Camera(float(a)) for a in azimuths], size)
    normals = vertex_normals(vertices, body.faces).astype(np.float32)
    picture = np.zeros((len(azimuths) * size * size, 3), np.float32)
    picture[hits.pixel] = unit(hits.interpolate(normals, body.faces))
    return picture.reshape(len(azimuths), size, size, 3)


class StartPoses:
    """The rendered start poses, ready to be searched.

    Parameters
    ----------
    arrays : dict
        From `make_starts`.
    """

    def __init__(self, arrays: dict[str, np.ndarray]) -> None:
        self.global_orient = torch.from_numpy(arrays["global_orient"])
        self.body_pose = torch.from_numpy(arrays["body_pose"])
        self.azimuths = [float(azimuth) for azimuth in arrays["azimuths"]]
        self.size = arrays["normal"].shape[2]
        self.normal = torch.from_numpy(arrays["normal"]).float().flatten(1)

    def nearest(self, targets: Targets, count: int) -> list[Start]:
        """The `count` poses whose pictures are most alike.

        Likeness is the cosine of the two stacks of normals, zero outside the body, after both are
        averaged to the start poses' size. It asks nothing of lengths: the normals of generated
        views are too short where these hedge, and a sum of differences would then favour poses
        that fill little of the picture.

        Raises
        ------
        ValueError
            The views are not those that were rendered.
        """
        if targets.azimuths != self.azimuths or targets.size % self.size:
            raise ValueError(f"start poses are for other views: {self.azimuths}, {self.size} px")
        picture = targets.normal.movedim(-1, 1)
        small = F.avg_pool2d(picture, targets.size // self.size).movedim(1, -1)
        likeness = F.cosine_similarity(self.normal, small.reshape(1, -1))
        order = likeness.topk(min(count, len(likeness))).indices.tolist()
        return [Start(self.global_orient[index], self.body_pose[index]) for index in order]


def read_starts(path: str | Path) -> StartPoses:
    """Read what `write_starts` wrote.

    Raises
    ------
    UserError
        The file is missing or lacks an array.
    """
    return StartPoses(read_npz(path, "global_orient", "body_pose", "normal", "azimuths"))


def read_estimates(path: str | Path) -> list[Start | None]:
    """Poses that scripts/estimate_starts.py found, None where it found nobody.

    Raises
    ------
    UserError
        The file is missing or lacks an array, or a pose is not of 72 finite numbers.
    """
    arrays = read_npz(path, "global_orient", "body_pose", "found", only=True)
    with refusing(path, "not numbers"):
        found = arrays["found"].astype(bool).reshape(-1)
        parts = [arrays[name].astype(np.float32) for name in ("global_orient", "body_pose")]
    for part, width in zip(parts, (3, 69), strict=True):
        if part.shape != (len(found), width) or not np.isfinite(part).all():
            raise UserError(f"{path}: not one pose of 24 finite rotations per subject")
    orient, pose = map(torch.from_numpy, parts)
    return [
        Start(orient[row], pose[row], KINDS[1]) if there else None
        for row, there in enumerate(found)
    ]


def write_starts(path: str | Path, arrays: dict[str, np.ndarray]) -> None:
    """Write the result of `make_starts`, atomically."""
    write_npz(path, arrays)
