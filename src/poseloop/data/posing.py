"""Poses before the input camera: facing, tilt, skinning and projection."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from scipy.spatial.transform import Rotation

from poseloop.body.model import BodyModel
from poseloop.data.config import InputCamera
from poseloop.data.studio import Sitter
from poseloop.render.appearance import Appearance
from poseloop.render.cameras import Camera
from poseloop.runtime.seeds import derive_seed

POSED_TOGETHER = 64
"""People posed at a time."""


def face_camera(
    global_orient: np.ndarray, yaw: np.ndarray | float, pitch: np.ndarray | float
) -> np.ndarray:
    """Turn bodies that face +z into the frame of a camera tilted downward.

    Parameters
    ----------
    global_orient : (N, 3) array
        Axis-angle; heading removed.
    yaw, pitch : (N,) arrays or numbers, degrees
        Facing about the vertical, towards +x when positive; downward tilt of the camera.

    Returns
    -------
    (N, 3) float32 axis-angle in the view frame.
    """
    turn = Rotation.from_rotvec(np.multiply.outer(yaw, [0.0, 1.0, 0.0]), degrees=True)
    tilt = Rotation.from_rotvec(np.multiply.outer(pitch, [1.0, 0.0, 0.0]), degrees=True)
    return (tilt * turn * Rotation.from_rotvec(global_orient)).as_rotvec().astype(np.float32)


def sample_cameras(
    camera: InputCamera, count: int, rng: np.random.Generator
) -> tuple[list[Camera], np.ndarray]:
    """Input cameras of `count` subjects and their downward tilts (count,) in degrees."""
    distance = rng.uniform(*camera.distance, count)
    pitch = rng.uniform(*camera.pitch, count)
    if camera.kind == "orthographic":
        distance[:] = np.inf
    return [Camera(0.0, float(value)) for value in distance], pitch


def sitters(
    body: BodyModel,
    global_orient: np.ndarray,
    body_pose: np.ndarray,
    betas: np.ndarray,
    appearances: Sequence[Appearance],
    cameras: Sequence[Camera],
    names: tuple[object, ...],
    first: int = 0,
) -> Iterator[list[Sitter]]:
    """Pose N bodies, in batches, ready to be photographed.

    Parameters
    ----------
    global_orient, body_pose, betas : (N, 3), (N, 69), (N, B) float32 arrays
        In the view frame.
    names : tuple
        Seed and names of the stream of the pictures' backgrounds.
    first : int
        Place of the first of them in the whole set.
    """
    for start in range(0, len(betas), POSED_TOGETHER):
        batch = slice(start, start + POSED_TOGETHER)
        with torch.inference_mode():
            posed = body(*(torch.from_numpy(a[batch]) for a in (global_orient, body_pose, betas)))
        seed, *rest = names
        yield [
            Sitter(vertices, joints, appearance, camera, derive_seed(seed, *rest, place))
            for place, (vertices, joints, appearance, camera) in enumerate(
                zip(
                    posed.vertices.numpy(),
                    posed.joints.numpy(),
                    appearances[batch],
                    cameras[batch],
                    strict=True,
                ),
                first + start,
            )
        ]
