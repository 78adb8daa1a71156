"""The end of a sampling run with its whole graph: gradients through the denoiser's input too."""

import torch
from torch.utils.checkpoint import checkpoint

from poseloop.multiview.schedule import predict_original
from poseloop.reward.family.problem import Batch, Problem


def sample_with_graph(problem: Problem, batch: Batch, gradient_steps: int) -> torch.Tensor:
    """Clean latents of a full run whose last `gradient_steps` steps carry gradient.

    The state before them is constant, and the last step's own estimate is the result. Each step
    is checkpointed: memory holds one denoiser activation set and a latent per step, whatever
    their number (DRaFT, 2309.17400; AlignProp, 2310.03739).
    """
    scheduler, total = problem.scheduler, problem.ddim_steps
    scheduler.set_timesteps(total, device=batch.noise.device)
    latents = batch.noise

    def predict(latents: torch.Tensor, timesteps: torch.Tensor) -> torch.Tensor:
        return problem.denoiser(latents, timesteps, batch.image_latents)

    for position, timestep in enumerate(scheduler.timesteps):
        timesteps = timestep.expand(len(latents))
        if position < total - gradient_steps:
            with torch.no_grad():
                prediction = predict(latents, timesteps)
        else:
            prediction = checkpoint(predict, latents, timesteps, use_reentrant=False)
        if position == total - 1:
            return predict_original(scheduler, prediction, latents, timesteps)
        latents = scheduler.step(prediction, timestep, latents).prev_sample
    raise ValueError("a sampler has at least one step")
