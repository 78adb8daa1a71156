"""Small settings, pictures, fields and estimators of the posegen room."""

import torch

from poseloop.data.poses import read_poses
from poseloop.posegen.config import PosegenConfig
from poseloop.posegen.config_estimators import EstimatorsConfig
from poseloop.posegen.config_nerf import NerfConfig
from poseloop.posegen.estimator import make_estimator
from poseloop.posegen.estimator_training import surface_body
from poseloop.posegen.generator import Bounds, pose_vectors
from poseloop.posegen.part_field import PartField
from poseloop.runtime.config import load_config

SIZE = 32


def nerf_config() -> NerfConfig:
    return load_config("config/smoke/posegen_nerf.yaml", NerfConfig)


def loop_config() -> PosegenConfig:
    return load_config("config/smoke/posegen.yaml", PosegenConfig)


def estimators_config() -> EstimatorsConfig:
    return load_config("config/smoke/posegen_estimators.yaml", EstimatorsConfig)


def make_small_estimator(name: str, body):
    torch.manual_seed(0)
    return make_estimator(estimators_config().estimators[name], body, SIZE).eval()


def field_of(body, subjects: int = 2):
    """An untrained part field, a body of capsules, and its subjects' shapes."""
    compact = surface_body(body, 20)
    betas = torch.zeros(subjects, 10)
    field = PartField(nerf_config().parts, compact.rest_joints(betas))
    return field.requires_grad_(False), betas, compact


def bounds_of(clips):
    """Bounds and pose vectors of the small motion file's training clips."""
    prior = pose_vectors(read_poses(clips, ["train"]))
    return Bounds(loop_config().generator, prior), torch.from_numpy(prior)
