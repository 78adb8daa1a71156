"""Poses of a motion mix, wherever they come from."""

from pathlib import Path

from poseloop.body.model import BodyModel
from poseloop.data.config import Motion
from poseloop.data.poses import Poses, read_own_poses, read_poses


def read_mix(motion: Motion, body: BodyModel, clips: str | Path) -> Poses:
    """Poses of a mix: of the study's motion file or of the user's own.

    Raises
    ------
    UserError
        As `data.poses.read_poses` and `read_own_poses`.
    """
    if motion.source == "clips":
        return read_poses(clips, motion.splits, motion.clips)
    return read_own_poses(motion, body.rest_joints()[0].numpy())
