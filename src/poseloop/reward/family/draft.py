"""DRaFT (2309.17400): the reward's gradient through the last K steps of the sampler.

DRaFT-1 is K = 1. DRaFT-LV is K = 1 with less variance: the clean latents are noised again n times
to the level of the last step, each copy is denoised once, and the gradients are averaged (fact
sheet DrPose 5).
"""

import torch

from poseloop.multiview.fitting import Row
from poseloop.multiview.schedule import predict_original
from poseloop.reward.family.chain import sample_with_graph
from poseloop.reward.family.config import DraftConfig
from poseloop.reward.family.problem import Batch, Problem, clip_steps


def draft(config: DraftConfig, problem: Problem, batch: Batch, generator: torch.Generator) -> Row:
    """One DRaFT-K step, or one of DRaFT-LV where `renoised` is above zero."""
    steps = clip_steps(config.last_steps, problem.ddim_steps)
    if not config.renoised:
        reward = problem.reward(sample_with_graph(problem, batch, steps), batch.joints).mean()
        (1 - reward).backward()
        return {"reward": reward.item()}
    with torch.no_grad():
        clean = sample_with_graph(problem, batch, 1)
    rewards = [
        _renoised_reward(problem, batch, clean, config.renoised, generator)
        for _ in range(config.renoised)
    ]
    return {"reward": sum(rewards) / len(rewards)}


def _renoised_reward(
    problem: Problem, batch: Batch, clean: torch.Tensor, copies: int, generator: torch.Generator
) -> float:
    """Backward of one copy's share; returns its reward."""
    timesteps = problem.scheduler.timesteps[-1].expand(len(clean))
    noise = torch.randn(clean.shape, generator=generator).to(clean)
    latents = problem.scheduler.add_noise(clean, noise, timesteps)
    prediction = problem.denoiser(latents, timesteps, batch.image_latents)
    estimate = predict_original(problem.scheduler, prediction, latents, timesteps)
    reward = problem.reward(estimate, batch.joints).mean()
    ((1 - reward) / copies).backward()
    return reward.item()
