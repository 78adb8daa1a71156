"""One arm of the family: the same batches, noise, steps and anchor for every method."""

import copy
import math
from functools import partial

import torch
from torch import nn

from poseloop.multiview.config import MultiviewConfig
from poseloop.multiview.dataset import LatentSet
from poseloop.multiview.fitting import Row, fit
from poseloop.multiview.schedule import make_scheduler
from poseloop.reward.family.alignprop import alignprop
from poseloop.reward.family.config import FamilyConfig, MethodConfig
from poseloop.reward.family.dpo import dpo
from poseloop.reward.family.draft import draft
from poseloop.reward.family.drtune import drtune
from poseloop.reward.family.problem import Batch, Method, Problem, Reward
from poseloop.reward.family.refl import refl
from poseloop.reward.family.snapshots import Snapshots
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


def usable_poses(ordinary: torch.Tensor, share: float) -> torch.Tensor:
    """Indices of the first `share` of the dynamic poses and of the ordinary ones.

    Farthest-point selection lists the poses that differ most first.

    Parameters
    ----------
    ordinary : (N,) bool
    """
    kinds = [torch.nonzero(kind).squeeze(1) for kind in (~ordinary, ordinary)]
    return torch.cat([kind[: math.ceil(share * len(kind))] for kind in kinds])


def train_arm(
    base: nn.Module,
    base_config: MultiviewConfig,
    reward: Reward,
    posescore: PoseScore,
    poseset: LatentSet,
    ordinary: torch.Tensor,
    scans: LatentSet,
    oracle: LatentSet | None,
    validation: dict[str, LatentSet],
    config: FamilyConfig,
    arm: str,
    seed: int,
    device: torch.device,
    checkpoints: Checkpoints,
) -> tuple[nn.Module, list[Row], Snapshots]:
    """Fine-tune a copy of `base` by one method.

    Arms draw the same subjects and noise at the same step, whatever else they draw.

    Parameters
    ----------
    base : frozen denoiser
    reward : what the arm is tuned by
    posescore : what every arm is validated by
    poseset : pictures and joints, no views
    ordinary : (N,) bool, which poses of the set are ordinary
    scans : scans with views
    oracle : the pose set with its rendered views, for the arm that needs it
    arm : key of `config.arms`

    Returns
    -------
    the weight average, one row per step, and the averages kept at every validation
    """
    entry, poses = config.arms[arm], config.poses_of(arm)
    denoiser = copy.deepcopy(base).requires_grad_(True)
    scheduler = make_scheduler(base_config.schedule)
    problem = Problem(denoiser, base, scheduler, reward, config.ddim_steps)
    usable = usable_poses(ordinary, poses.share)
    snapshots = Snapshots(checkpoints.folder)
    view_shape = scans.latents.shape[1:]

    def reward_batch(step: int) -> Batch:
        generator = torch_rng(seed, "family", "batch", step)
        drawn = draw_batch(ordinary[usable], config.batch_size, poses.ordinary_share, generator)
        index = usable[drawn]
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
        snapshots.step = step + 1
        if entry.method.kind == "supervised":
            data = scans if entry.method.data == "scans" else oracle
            row = learn(data, 1.0, step, "supervised")
        else:
            method = make_method(entry.method)
            row = method(problem, reward_batch(step), torch_rng(seed, "family", "method", step))
        if entry.anchor_weight:
            row |= learn(scans, entry.anchor_weight, step, "anchor")
        return row

    def validate(average: nn.Module) -> Row:
        snapshots.keep(average)
        return validate_sets(
            average, base_config, posescore, validation, config.validation_ddim_steps, device
        )

    average, rows = fit(
        denoiser,
        backward,
        config.steps,
        config.optimizer.model_copy(update={"learning_rate": entry.learning_rate}),
        config.ema_decay,
        checkpoints,
        validate,
        config.validate_every,
    )
    return average, rows, snapshots
