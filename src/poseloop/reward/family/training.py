"""One arm of the family: the same batches, noise, steps and anchor for every method."""

import copy
from functools import partial

import torch
from torch import nn

from poseloop.multiview.config import MultiviewConfig
from poseloop.multiview.dataset import LatentSet
from poseloop.multiview.fitting import Row, fit
from poseloop.multiview.schedule import make_scheduler
from poseloop.reward.family.alignprop import alignprop
from poseloop.reward.family.config import ArmConfig, FamilyConfig, MethodConfig
from poseloop.reward.family.dpo import dpo
from poseloop.reward.family.draft import draft
from poseloop.reward.family.drtune import drtune
from poseloop.reward.family.problem import Batch, Method, Problem
from poseloop.reward.family.refl import refl
from poseloop.reward.family.supervised import supervised
from poseloop.reward.finetune import draw_batch
from poseloop.reward.posescore import PoseScore
from poseloop.reward.validation import validate_sets
from poseloop.runtime.checkpoints import Checkpoints
from poseloop.runtime.seeds import torch_rng

_METHODS = {
    "refl": refl,
    "draft": draft,
    "alignprop": alignprop,
    "drtune": drtune,
    "dpo": dpo,
}


def make_method(config: MethodConfig) -> Method:
    """The reward method of a config."""
    return partial(_METHODS[config.kind], config)


def train_arm(
    base: nn.Module,
    base_config: MultiviewConfig,
    posescore: PoseScore,
    poseset: LatentSet,
    ordinary: torch.Tensor,
    scans: LatentSet,
    oracle: LatentSet | None,
    validation: dict[str, LatentSet],
    config: FamilyConfig,
    arm: ArmConfig,
    seed: int,
    device: torch.device,
    checkpoints: Checkpoints,
) -> tuple[nn.Module, list[Row]]:
    """Fine-tune a copy of `base` by one method; returns its weight average and the log.

    Arms draw the same subjects and noise at the same step, whatever else they draw.

    Parameters
    ----------
    base : frozen denoiser
    poseset : pictures and joints, no views
    ordinary : (N,) bool, which poses of the set are ordinary
    scans : scans with views
    oracle : the pose set with its rendered views, for the arm that needs it
    """
    denoiser = copy.deepcopy(base).requires_grad_(True)
    reward = partial(posescore, distance=config.distance)
    scheduler = make_scheduler(base_config.schedule)
    problem = Problem(denoiser, base, scheduler, reward, config.ddim_steps)
    view_shape = scans.latents.shape[1:]

    def reward_batch(step: int) -> Batch:
        generator = torch_rng(seed, "family", "batch", step)
        index = draw_batch(ordinary, config.batch_size, config.ordinary_share, generator)
        noise = torch.randn((len(index), *view_shape), generator=generator)
        return Batch(
            poseset.image_latents[index].to(device),
            poseset.joints[index].to(device),
            noise.to(device),
        )

    def learn(data: LatentSet, weight: float, step: int, name: str) -> Row:
        generator = torch_rng(seed, "family", name, step)
        return supervised(problem, data, base_config, config.batch_size, weight, generator)

    def backward(step: int) -> Row:
        if arm.method.kind == "supervised":
            data = scans if arm.method.data == "scans" else oracle
            row = learn(data, 1.0, step, "supervised")
        else:
            method = make_method(arm.method)
            row = method(problem, reward_batch(step), torch_rng(seed, "family", "method", step))
        if arm.anchor_weight:
            row |= learn(scans, arm.anchor_weight, step, "anchor")
        return row

    return fit(
        denoiser,
        backward,
        config.steps,
        config.optimizer.model_copy(update={"learning_rate": arm.learning_rate}),
        config.ema_decay,
        checkpoints,
        lambda average: validate_sets(
            average, base_config, posescore, validation, config.validation_ddim_steps, device
        ),
        config.validate_every,
    )
