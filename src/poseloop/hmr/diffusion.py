"""Noise on body tokens, its removal, and sampling of hypotheses (fact sheet ADHMR 2.4)."""

import torch
from diffusers import DDIMScheduler
from torch import Tensor, nn

from poseloop.hmr.config import DiffusionConfig
from poseloop.hmr.encoder import Features

# Hypotheses of which the widest layer's activations are a few megabytes on a CPU, elsewhere some
# hundred.
_IN_CACHE = 200
_IN_MEMORY = 10_000


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
    return noise.to(mask.device) * mask


@torch.no_grad()
def sample(
    denoiser: nn.Module,
    config: DiffusionConfig,
    features: Features,
    noise: Tensor,
) -> Tensor:
    """Clean tokens (B, M, T, C) from noise of that shape by DDIM without added noise."""
    scheduler = make_scheduler(config)
    clean = []
    for rows in in_cache(noise):
        scheduler.set_timesteps(config.ddim_steps)
        tokens, seen = noise[rows], features.of(rows)
        for timestep in scheduler.timesteps:
            found = denoiser(tokens, timestep.to(tokens.device).expand(tokens.shape[:2]), seen)
            tokens = scheduler.step(found, timestep, tokens).prev_sample
        clean.append(tokens)
    return torch.cat(clean)


def in_cache(tokens: Tensor) -> list[slice]:
    """Pictures of tokens (B, M, T, C) in parts; on a CPU so few that activations stay in its cache.

    Hypotheses never see each other, so the parts give what the whole gives, on a CPU in two thirds
    of the time.
    """
    hypotheses = _IN_CACHE if tokens.device.type == "cpu" else _IN_MEMORY
    many = max(1, hypotheses // tokens.shape[1])
    return [slice(start, start + many) for start in range(0, len(tokens), many)]


def error_weights(scheduler: DDIMScheduler, timesteps: Tensor, space: str) -> Tensor:
    """Factor (...) from the squared error of the clean sample to that of `space`.

    `sample` gives 1, `epsilon` the signal-to-noise ratio (as released; it spans four decades over
    the timesteps, fact sheet ADHMR 4), `velocity` one plus that ratio, and `min_snr` the smaller
    of the ratio and 5.
    """
    cumulative = scheduler.alphas_cumprod.to(timesteps.device)[timesteps]
    snr = cumulative / (1.0 - cumulative)
    return {
        "sample": torch.ones_like(snr),
        "epsilon": snr,
        "velocity": 1.0 + snr,
        "min_snr": snr.clamp(max=5.0),
    }[space]
