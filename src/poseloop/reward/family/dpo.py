"""Diffusion DPO (2311.12908) with the reward as the critic of two samples of one subject.

Two full samples from the base's own noise are ranked by the reward; at a random timestep the
denoiser's error on the winner shall fall, against the base's, further than that on the loser. The
reward is asked for an order only, so its gradient cannot be cheated.
"""

import torch
import torch.nn.functional as F

from poseloop.multiview.fitting import Row
from poseloop.multiview.sampler import sample
from poseloop.reward.family.config import DpoConfig
from poseloop.reward.family.problem import Batch, Problem


def preference_loss(advantage: torch.Tensor, beta: float) -> torch.Tensor:
    """-log sigmoid(beta * advantage), mean over the batch.

    Parameters
    ----------
    advantage : (B,)
        How much further below the base's the denoiser's error is on winners than on losers.
    """
    return -F.logsigmoid(beta * advantage).mean()


def error_below_base(
    problem: Problem,
    clean: torch.Tensor,
    noise: torch.Tensor,
    timesteps: torch.Tensor,
    image_latents: torch.Tensor,
) -> torch.Tensor:
    """Base's squared error of v minus the denoiser's, mean over a subject's latents: (B,)."""
    noisy = problem.scheduler.add_noise(clean, noise, timesteps)
    target = problem.scheduler.get_velocity(clean, noise, timesteps)
    with torch.no_grad():
        reference = problem.base(noisy, timesteps, image_latents)
    prediction = problem.denoiser(noisy, timesteps, image_latents)
    ours, theirs = ((v - target).square().flatten(1).mean(1) for v in (prediction, reference))
    return theirs - ours


def dpo(config: DpoConfig, problem: Problem, batch: Batch, generator: torch.Generator) -> Row:
    """One step: `batch` gives the first sample's noise, the generator the second's."""
    scheduler, image_latents = problem.scheduler, batch.image_latents

    def draw() -> torch.Tensor:
        return torch.randn(batch.noise.shape, generator=generator).to(batch.noise)

    samples = [
        sample(problem.base, scheduler, image_latents, noise, problem.ddim_steps)
        for noise in (batch.noise, draw())
    ]
    with torch.no_grad():
        rewards = torch.stack([problem.reward(latents, batch.joints) for latents in samples])
    first_wins = (rewards[0] >= rewards[1]).view(-1, *[1] * (batch.noise.dim() - 1))
    winner = torch.where(first_wins, samples[0], samples[1])
    loser = torch.where(first_wins, samples[1], samples[0])
    count = scheduler.config.num_train_timesteps
    timesteps = torch.randint(count, (len(winner),), generator=generator).to(winner.device)
    noise = draw()
    advantage = error_below_base(problem, winner, noise, timesteps, image_latents)
    advantage = advantage - error_below_base(problem, loser, noise, timesteps, image_latents)
    loss = preference_loss(advantage, config.beta)
    loss.backward()
    return {
        "reward": rewards.mean().item(),
        "loss": loss.item(),
        "preferred": (advantage > 0).float().mean().item(),
    }
