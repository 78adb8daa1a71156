"""DDIM sampling of all views of a subject from its input picture."""

import torch
from diffusers import DDIMScheduler

from poseloop.multiview.compute import Function


def guided_prediction(
    denoiser: Function,
    latents: torch.Tensor,
    timesteps: torch.Tensor,
    image_latents: torch.Tensor,
    guidance: float,
) -> torch.Tensor:
    """Prediction with classifier-free guidance; a scale of 1 costs one pass.

    Shapes as in `MultiViewDenoiser.forward`. Without a picture the image latents are zero (fact
    sheet DrPose 4.4).
    """
    conditional = denoiser(latents, timesteps, image_latents)
    if guidance == 1.0:
        return conditional
    unconditional = denoiser(latents, timesteps, torch.zeros_like(image_latents))
    return unconditional + guidance * (conditional - unconditional)


@torch.no_grad()
def sample(
    denoiser: Function,
    scheduler: DDIMScheduler,
    image_latents: torch.Tensor,
    noise: torch.Tensor,
    steps: int,
    guidance: float = 1.0,
    eta: float = 0.0,
    generator: torch.Generator | None = None,
) -> torch.Tensor:
    """Clean latents (B, V, 2, C, h, w) from `noise` of that shape.

    Parameters
    ----------
    image_latents : (B, C, h, w)
    steps : DDIM steps
    eta : share of the DDPM variance; above 0 a `generator` is needed
    generator : CPU generator of the steps' noise
    """
    scheduler.set_timesteps(steps, device=noise.device)
    latents = noise
    for timestep in scheduler.timesteps:
        timesteps = timestep.expand(len(latents))
        v = guided_prediction(denoiser, latents, timesteps, image_latents, guidance)
        latents = scheduler.step(v, timestep, latents, eta=eta, generator=generator).prev_sample
    return latents
