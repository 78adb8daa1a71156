"""DRTune (2405.00760) as DrPose uses it (fact sheet DrPose 1.3), behind the family's interface."""

import torch

from poseloop.multiview.fitting import Row
from poseloop.reward.drtune import reward_step
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
    return reward_step(
        problem.denoiser,
        problem.base,
        problem.scheduler,
        lambda estimate: problem.reward(estimate, batch.joints),
        batch.image_latents,
        batch.noise,
        config.drtune,
        config.kl_weight,
        generator,
    )
