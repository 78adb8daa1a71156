"""Noise on body tokens, its removal, and sampling of hypotheses (fact sheet ADHMR 2.4)."""

import torch
from diffusers import DDIMScheduler
from torch import Tensor, nn

from poseloop.hmr.config import DiffusionConfig
from poseloop.hmr.encoder import Features


def make_scheduler(config: DiffusionConfig) -> DDIMScheduler:
    """DDIM with linear betas; the network predicts the clean sample."""
    return DDIMScheduler(
        num_train_timesteps=config.train_timesteps,
        beta_start=config.beta_start,
        beta_end=config.beta_end,
        beta_schedule="linear",
        prediction_type="sample",
        clip_sample=False,
        set_alpha_to_one=True,
        timestep_spacing="trailing",
    )


def add_noise(
    scheduler: DDIMScheduler, clean: Tensor, noise: Tensor, timesteps: Tensor, mask: Tensor
) -> Tensor:
    """Noisy tokens (B, M, T, C) at timesteps (B, M); entries outside the mask stay zero."""
    flat = scheduler.add_noise(clean.flatten(0, 1), noise.flatten(0, 1), timesteps.flatten())
    return flat.view(clean.shape) * mask


def hypothesis_noise(
    pictures: int, hypotheses: int, mask: Tensor, generator: torch.Generator
) -> Tensor:
    """Noise (B, M, T, C) to sample from; hypothesis 0 is zero noise, the model's one answer."""
    noise = torch.randn((pictures, hypotheses, *mask.shape), generator=generator)
    noise[:, 0] = 0.0
    return noise * mask


@torch.no_grad()
def sample(
    denoiser: nn.Module,
    config: DiffusionConfig,
    features: Features,
    noise: Tensor,
) -> Tensor:
    """Clean tokens (B, M, T, C) from noise of that shape by DDIM without added noise."""
    scheduler = make_scheduler(config)
    scheduler.set_timesteps(config.ddim_steps)
    tokens = noise
    for timestep in scheduler.timesteps:
        clean = denoiser(tokens, timestep.expand(tokens.shape[:2]), features)
        tokens = scheduler.step(clean, timestep, tokens).prev_sample
    return tokens


def error_weights(scheduler: DDIMScheduler, timesteps: Tensor, space: str) -> Tensor:
    """Factor (...) from the squared error of the clean sample to that of `space`.

    `sample` gives 1, `epsilon` the signal-to-noise ratio (as released; it spans four decades over
    the timesteps, fact sheet ADHMR 4), `velocity` one plus that ratio, and `min_snr` the smaller
    of the ratio and 5.
    """
    cumulative = scheduler.alphas_cumprod[timesteps]
    snr = cumulative / (1.0 - cumulative)
    return {
        "sample": torch.ones_like(snr),
        "epsilon": snr,
        "velocity": 1.0 + snr,
        "min_snr": snr.clamp(max=5.0),
    }[space]
