"""The views that nobody has in use: those of the pose set's people, rendered."""

import numpy as np

from poseloop.body.model import BodyModel
from poseloop.data.config import PoseSetConfig
from poseloop.data.people import sample_appearances
from poseloop.data.posing import sitters
from poseloop.data.scans import make_studio, photograph_all
from poseloop.data.store import PoseSet
from poseloop.render.cameras import Camera
from poseloop.runtime.errors import UserError


def render_oracle(
    config: PoseSetConfig, pose_set: PoseSet, body: BodyModel, azimuths: tuple[float, ...]
) -> dict[str, np.ndarray]:
    """Orthographic views of every subject of the pose set, in the frame of its picture.

    Returns
    -------
    dict
        `rgb` and `normal` (N, K, S, S, 3) uint8, beside the set's own `input_rgb`, `input_mask`
        and `joints`.

    Raises
    ------
    UserError
        The pose set's pictures were not made by the renderer, so that nobody knows their views.
    """
    if config.generator != "renderer":
        raise UserError(f"generator: {config.generator} gives no views for the oracle")
    count = len(pose_set.clip)
    people = sitters(
        body,
        pose_set.global_orient,
        pose_set.body_pose,
        pose_set.betas,
        sample_appearances(config.people, count, config.seed),
        [Camera()] * count,
        (config.seed, "oracle picture"),
    )
    studio = make_studio(body, config.picture, azimuths, config.backdrop)
    shots = photograph_all(studio, people, config.processes, count)
    kept = {name: getattr(pose_set, name) for name in ("input_rgb", "input_mask", "joints")}
    return kept | {name: shots[name] for name in ("rgb", "normal")}
