"""Bodies, pictures and configs small enough for tests of the hmr room."""

import numpy as np
import torch
from tiny_body import smpl_arrays

from poseloop.body.files import write_body
from poseloop.body.model import BodyModel, load_body
from poseloop.hmr.config import BaseConfig
from poseloop.hmr.dataset import bodies_of
from poseloop.hmr.denoiser import DiffusionHMR
from poseloop.hmr.scorer_config import ScorerConfig
from poseloop.hmr.store import Labels, Pictures
from poseloop.hmr.tune_config import TuneConfig

OPTIMIZER = {
    "learning_rate": 0.003,
    "weight_decay": 0.0,
    "warmup_steps": 1,
    "clip_grad_norm": 1.0,
    "final_rate": 1.0,
}


def make_body(folder) -> BodyModel:
    write_body(folder, smpl_arrays())
    return load_body(folder)


def base_config(**changes) -> BaseConfig:
    values = {
        "seed": 0,
        "threads": 1,
        "parameters": "rotations",
        "vertices": 30,
        "encoder": {"kind": "cnn", "channels": [8, 8, 16], "norm_groups": 4},
        "transformer": {"width": 16, "heads": 2, "hops": [4, 2]},
        "diffusion": {
            "train_timesteps": 100,
            "beta_start": 0.001,
            "beta_end": 0.2,
            "ddim_steps": 2,
        },
        "loss": {"joints": 10.0},
        "detection": {
            "steps": 30,
            "batch_size": 4,
            "ema_decay": 0.1,
            "optimizer": OPTIMIZER,
            "validate_every": 30,
        },
        "steps": 4,
        "batch_size": 4,
        "draws": 2,
        "ema_decay": 0.5,
        "optimizer": OPTIMIZER,
        "validate_every": 2,
        "checkpoint_every": 100,
    }
    return BaseConfig.model_validate({**values, **changes})


def scorer_config(**changes) -> ScorerConfig:
    values = {
        "seed": 0,
        "threads": 1,
        "candidates": {
            "samples": 3,
            "noise_levels": [0.1, 0.3],
            "orient_share": 0.5,
            "betas_noise": 1.0,
        },
        "hops": [2],
        "width": 16,
        "heads": 2,
        "ranking": {
            "slope": 5.0,
            "errors": {"mpjpe": 1.0, "pve": 0.5},
            "soft_mm": 10.0,
            "across_kinds": False,
            "answer_weight": 0.3,
        },
        "steps": 3,
        "batch_size": 4,
        "ema_decay": 0.5,
        "optimizer": OPTIMIZER,
        "validate_every": 3,
        "validation_samples": 4,
        "checkpoint_every": 100,
    }
    return ScorerConfig.model_validate({**values, **changes})


def tune_config(steps=3, encoder=True, **variant) -> TuneConfig:
    values = {"objective": "dpo", "sources": {"wild": 1.0}, "group": 2, **variant}
    return TuneConfig.model_validate(
        {
            "seeds": [0],
            "threads": 1,
            "tune_encoder": encoder,
            "steps": steps,
            "hypotheses": 8,
            "ema_decay": 0.01,
            "optimizer": OPTIMIZER,
            "validate_every": 100,
            "checkpoint_every": 100,
            "variants": {"one": values},
        }
    )


def make_labels(count: int, seed: int = 0) -> Labels:
    rng = np.random.default_rng(seed)
    return Labels(
        global_orient=rng.normal(0, 0.6, (count, 3)).astype(np.float32),
        body_pose=rng.normal(0, 0.3, (count, 69)).astype(np.float32),
        betas=rng.normal(0, 0.3, (count, 10)).astype(np.float32),
        camera=np.stack(
            [rng.uniform(0.7, 1.2, count), *rng.uniform(-0.2, 0.2, (2, count))], 1
        ).astype(np.float32),
        clip=np.full(count, "walk"),
        frame=np.arange(count, dtype=np.int32),
        body_id=np.arange(count, dtype=np.int32),
    )


def make_pictures(count: int, seed: int = 0, size: int = 32) -> Pictures:
    rng = np.random.default_rng(seed)
    intrinsics = np.tile(np.array([6.0, 0.1, -0.2], np.float32), (count, 1))
    return Pictures(rng.integers(0, 255, (count, size, size, 3), dtype=np.uint8), intrinsics)


def make_model(body: BodyModel, **changes) -> DiffusionHMR:
    """A base with random weights whose layout is fitted to labels."""
    torch.manual_seed(0)
    model = DiffusionHMR(base_config(**changes), body)
    intrinsics = torch.from_numpy(make_pictures(20).intrinsics)
    model.layout.fit(bodies_of(make_labels(20)), intrinsics)
    return model.eval().requires_grad_(False)
