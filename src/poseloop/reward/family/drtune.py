"""DRTune (2405.00760) as DrPose uses it (fact sheet DrPose 1.3), behind the family's interface."""

import torch

from poseloop.multiview.fitting import Row
from poseloop.reward.drtune import draw_plan, drift, propagate, rollout, upstream_gradients
from poseloop.reward.family.config import DrTuneMethod
from poseloop.reward.family.problem import Batch, Problem


def drtune(config: DrTuneMethod, problem: Problem, batch: Batch, generator: torch.Generator) -> Row:
    """One DRTune step, with the distance to the base's predictions where `kl_weight` asks for it.

    Raises
    ------
    ValueError
        The config's `drtune.ddim_steps` are not those of the problem.
    """
    if config.drtune.ddim_steps != problem.ddim_steps:
        raise ValueError("drtune.ddim_steps differ from the family's")
    plan = draw_plan(config.drtune, generator)
    estimate, steps = rollout(
        problem.denoiser,
        problem.scheduler,
        batch.image_latents,
        batch.noise,
        plan,
        problem.ddim_steps,
    )
    reward = problem.reward(estimate, batch.joints).mean()
    kl = drift(problem.base, steps, batch.image_latents)
    if steps:
        gradients = upstream_gradients(
            1 - reward, config.kl_weight * kl, estimate, steps, config.drtune.normalise_steps
        )
        propagate(problem.denoiser, steps, gradients, batch.image_latents)
    return {"reward": reward.item(), "kl": kl.item()}
