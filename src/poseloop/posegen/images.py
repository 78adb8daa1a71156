"""Making a picture set from its description."""

from pathlib import Path

import numpy as np

from poseloop.body.model import BodyModel
from poseloop.data.mix import read_mix
from poseloop.data.people import sample_appearances, sample_bodies
from poseloop.data.poses import draw_poses
from poseloop.posegen.config_images import CameraRange, ImageSetsConfig
from poseloop.posegen.imageset import ImageSet
from poseloop.posegen.photograph import Photographer
from poseloop.runtime.errors import UserError
from poseloop.runtime.seeds import numpy_rng


def sample_views(camera: CameraRange, count: int, rng: np.random.Generator) -> np.ndarray:
    """Cameras (count, 4), as in `ImageSet.camera`."""
    ranges = (camera.azimuth, camera.elevation, camera.roll, camera.distance)
    return np.stack([rng.uniform(*span, count) for span in ranges], axis=1).astype(np.float32)


def make_image_set(
    config: ImageSetsConfig, name: str, body: BodyModel, clips: str | Path
) -> ImageSet:
    """Render the set `name` by the mesh renderer.

    Raises
    ------
    UserError
        No such set, or faulty motion.
    """
    if name not in config.sets:
        raise UserError(f"sets: no set {name!r}; there are {', '.join(config.sets)}")
    entry = config.sets[name]
    count = entry.count
    motion = read_mix(entry.motion, body, clips)
    rng = numpy_rng(config.seed, "posegen", "poses", name)
    poses = draw_poses(motion, entry.motion, count, rng)
    betas, body_id = sample_bodies(entry.people, count, body.num_betas, config.seed)
    return Photographer(body, config.picture).photograph(
        (poses.global_orient, poses.body_pose, betas),
        sample_views(entry.camera, count, numpy_rng(config.seed, "posegen", "views", name)),
        sample_appearances(entry.people, count, config.seed),
        entry.backdrop,
        [numpy_rng(config.seed, "posegen", "picture", name, row) for row in range(count)],
        (poses.clip, body_id),
        entry.crowd,
    )
