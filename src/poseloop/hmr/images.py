"""Rendered people in crops, with their bodies and cameras as labels."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from poseloop.body.model import BodyModel
from poseloop.data.mix import read_mix
from poseloop.data.parallel import map_ordered
from poseloop.data.people import sample_appearances, sample_bodies
from poseloop.data.poses import draw_poses
from poseloop.data.posing import face_camera, sample_cameras, sitters
from poseloop.data.scans import make_studio, manifest
from poseloop.data.studio import Sitter, Studio
from poseloop.hmr.image_config import Crop, ImageSetsConfig
from poseloop.hmr.store import Labels, Pictures
from poseloop.runtime.seeds import numpy_rng


@dataclass(frozen=True)
class Window:
    """A square of a picture that is [-0.5, 0.5]: centre (2,), x right and y up, and side."""

    centre: np.ndarray
    side: float


def make_image_set(
    config: ImageSetsConfig, name: str, body: BodyModel, clips: str | Path
) -> tuple[Pictures, Labels, dict]:
    """Render the set `name`.

    Parameters
    ----------
    config : ImageSetsConfig
        The whole file; the streams of a set depend on its seed and the set's name and people.
    clips : path
        The study's motion file.

    Returns
    -------
    Pictures, Labels, and the set's manifest: streams, splits, clips and counts.

    Raises
    ------
    UserError
        No such set, or faulty motion.
    """
    entry = config.entry(name)
    count = entry.images
    motion = read_mix(entry.motion, body, clips)
    poses = draw_poses(motion, entry.motion, count, numpy_rng(config.seed, "hmr poses", name))
    betas, body_id = sample_bodies(entry.people, count, body.num_betas, config.seed)
    rng = numpy_rng(config.seed, "hmr cameras", name)
    cameras, pitch = sample_cameras(entry.camera, count, rng)
    yaw = rng.uniform(-entry.motion.yaw, entry.motion.yaw, count)
    global_orient = face_camera(poses.global_orient, yaw, pitch)
    people = sitters(
        body,
        global_orient,
        poses.body_pose,
        betas,
        sample_appearances(entry.people, count, config.seed),
        cameras,
        (config.seed, "hmr picture", name),
    )
    studio = make_studio(body, config.picture, (), entry.backdrop)
    shoot = partial(_shoot, studio, entry.crop)
    shots = map_ordered(shoot, people, config.processes_of(name))
    image, intrinsics, camera = zip(*shots, strict=True)
    labels = Labels(
        global_orient=global_orient,
        body_pose=poses.body_pose,
        betas=betas,
        camera=np.stack(camera),
        clip=poses.clip,
        frame=poses.frame,
        body_id=body_id,
    )
    pictures = Pictures(np.stack(image), np.stack(intrinsics))
    return pictures, labels, manifest(config.seed, name, entry, poses.clip, body_id)


def draw_window(places: np.ndarray, crop: Crop, rng: np.random.Generator) -> Window:
    """A crop around joints (J, 2) in the rendered picture, perhaps one that cuts the body."""
    low, high = places.min(0), places.max(0)
    margin = crop.truncated_margin if rng.random() < crop.truncated else crop.margin
    side = float((high - low).max() * rng.uniform(*margin))
    return Window((low + high) / 2 + side * rng.uniform(-crop.shift, crop.shift, 2), side)


def cut(picture: np.ndarray, window: Window, size: int) -> np.ndarray:
    """The window of a picture (H, H, 3) uint8 as (size, size, 3); beyond its edge the edge goes on.

    Pixels are averaged over the area that they cover, so that a strong reduction does not alias.
    """
    pixels = len(picture)
    pad = int(np.ceil(pixels * window.side))
    padded = Image.fromarray(np.pad(picture, ((pad, pad), (pad, pad), (0, 0)), mode="edge"))
    x, y = (window.centre * [1, -1] + 0.5) * pixels + pad
    half = window.side * pixels / 2
    box = np.clip([x - half, y - half, x + half, y + half], 0, pixels + 2 * pad)
    return np.array(padded.resize((size, size), Image.Resampling.BILINEAR, box=tuple(box)))


def crop_camera(
    root: np.ndarray, distance: float, metres: float, window: Window
) -> tuple[np.ndarray, np.ndarray]:
    """Intrinsics (3,) and camera (3,) of a crop, in the units of `geometry.project`.

    Parameters
    ----------
    root : (3,)
        Pelvis in the normalised view frame.
    distance : float
        Of the camera from the origin, normalised units; infinity is orthographic.
    metres : float
        Metres in a normalised unit.
    """
    zoom = 2 / window.side
    centre = window.centre * [1, -1]
    # The focal length of an orthographic camera only has to be too large to matter.
    focal = min(distance, 1e4)
    depth = (focal - root[2]) * metres
    scale = focal * zoom / depth
    pelvis = scale * metres * root[:2] * [1, -1] - centre * zoom
    intrinsics = np.array([focal * zoom, *(-centre * zoom)], np.float32)
    return intrinsics, np.array([scale, *pelvis], np.float32)


def _shoot(studio: Studio, crop: Crop, sitter: Sitter) -> tuple[np.ndarray, ...]:
    """Crop (S, S, 3), intrinsics (3,) and camera (3,) of one sitter."""
    shot = studio.photograph(sitter)
    rng = np.random.default_rng([sitter.picture_seed, 1])
    window = draw_window(sitter.camera.project(shot["joints"]), crop, rng)
    image = cut(shot["input_rgb"], window, crop.size)
    metres = float(shot["metres_per_unit"])
    return image, *crop_camera(shot["joints"][0], sitter.camera.distance, metres, window)
