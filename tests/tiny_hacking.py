"""A run's snapshots, subjects and instruments, small enough for tests of reward hacking."""

from functools import partial

import numpy as np
import torch

from poseloop.evaluate.config import JudgeConfig
from poseloop.evaluate.hacking.config import HackingConfig
from poseloop.evaluate.hacking.measure import Instruments
from poseloop.evaluate.hacking.subjects import Subjects
from poseloop.evaluate.judge import Judge
from poseloop.evaluate.pose import PoseJudge
from poseloop.multiview.autoencoder import Autoencoder
from poseloop.multiview.config import AutoencoderConfig, MultiviewConfig
from poseloop.multiview.dataset import LatentSet
from poseloop.multiview.denoiser import MultiViewDenoiser
from poseloop.reward.config import DistanceConfig, PoseScoreConfig
from poseloop.reward.posescore import PoseScore
from poseloop.runtime.config import load_config
from poseloop.runtime.weights import write_weights

SIZE, SIDE = 32, 8
AZIMUTHS = np.array([0, 45, 90, 180, 270, 315], np.float32)


def smoke(concern, model):
    return load_config(f"config/smoke/{concern}.yaml", model)


def tiny_config(**changes) -> HackingConfig:
    return smoke("hacking", HackingConfig).model_copy(update=changes)


def write_snapshots(path, changes=None):
    """Weights of steps; by default step 5 is the base with every weight a little larger."""
    config = smoke("multiview", MultiviewConfig)
    torch.manual_seed(0)
    denoiser = MultiViewDenoiser(config.denoiser)
    torch.nn.init.normal_(denoiser.conv_out.weight, std=0.05)
    base = denoiser.state_dict()
    tensors = {
        f"{step}/{name}": tensor + change
        for step, change in (changes or {0: 0.0, 5: 0.02}).items()
        for name, tensor in base.items()
    }
    write_weights(path, tensors, {"multiview": config.model_dump()})
    return path


def tiny_instruments() -> Instruments:
    torch.manual_seed(1)
    codec = Autoencoder(smoke("autoencoder", AutoencoderConfig)).eval().requires_grad_(False)
    scores = [
        PoseScore(smoke(name, PoseScoreConfig), 8, SIDE, [3, 4]).eval().requires_grad_(False)
        for name in ("posescore", "posescore_held_out")
    ]
    judge = smoke("judge", JudgeConfig)
    network = Judge(judge.channels, judge.blocks, judge.bins).eval().requires_grad_(False)
    network.bones.copy_(torch.tensor([0.2, 0.1]))
    return Instruments(
        codec,
        *(partial(score, distance=DistanceConfig(dice=1.0)) for score in scores),
        PoseJudge(network, judge.triangulation, judge.pck_mm),
    )


def tiny_subjects(count=3, name="val_dynamic") -> Subjects:
    """Bodies that are noise, with the latents of nothing in particular."""
    rng = np.random.default_rng(0)
    generator = torch.Generator().manual_seed(0)
    joints = rng.normal(0, 0.15, (count, 24, 3)).astype(np.float32)
    views = rng.integers(0, 256, (2, count, 6, SIZE, SIZE, 3)).astype(np.uint8)
    latents = LatentSet(
        torch.randn(count, 8, SIDE, SIDE, generator=generator),
        torch.from_numpy(joints),
        torch.randn(count, 6, 2, 8, SIDE, SIDE, generator=generator),
        np.full(count, name),
    )
    truth = {
        "rgb": views[0],
        "normal": views[1],
        "joints": joints,
        "metres_per_unit": np.full(count, 2.0, np.float32),
        "azimuths": AZIMUTHS,
    }
    return Subjects(name, latents, truth)
