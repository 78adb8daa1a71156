"""The noise schedule: diffusers' DDIM scheduler and the conversions of v-prediction."""

import torch
from diffusers import DDIMScheduler

from poseloop.multiview.config import ScheduleConfig


def make_scheduler(config: ScheduleConfig) -> DDIMScheduler:
    """DDIM with linear betas and v-prediction (fact sheet DrPose 4.3)."""
    return DDIMScheduler(
        num_train_timesteps=config.train_timesteps,
        beta_start=config.beta_start,
        beta_end=config.beta_end,
        beta_schedule="linear",
        prediction_type="v_prediction",
        clip_sample=False,
        set_alpha_to_one=True,
        steps_offset=1 if config.timestep_spacing == "leading" else 0,
        timestep_spacing=config.timestep_spacing,
    )


def signal_and_noise(
    scheduler: DDIMScheduler, timesteps: torch.Tensor, dims: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Alpha and sigma at timesteps (B,), each shaped (B, 1, ...) with `dims` axes."""
    alphas_cumprod = scheduler.alphas_cumprod.to(timesteps.device)[timesteps]
    alphas_cumprod = alphas_cumprod.view(-1, *[1] * (dims - 1))
    return alphas_cumprod.sqrt(), (1.0 - alphas_cumprod).sqrt()


def predict_original(
    scheduler: DDIMScheduler, v: torch.Tensor, latents: torch.Tensor, timesteps: torch.Tensor
) -> torch.Tensor:
    """One-step estimate of the clean latents: alpha x - sigma v (fact sheet DrPose 1.4)."""
    alpha, sigma = signal_and_noise(scheduler, timesteps, latents.dim())
    return alpha * latents - sigma * v


def min_snr_weights(
    scheduler: DDIMScheduler, timesteps: torch.Tensor, gamma: float
) -> torch.Tensor:
    """Weights (B,) of the squared error of v: min(SNR, gamma) / SNR.

    PSHuman's form (fact sheet DrPose 4.3). The form that is derived for v, with SNR + 1 below
    (Hang et al. 2023, section 3.4), gives the noisiest steps almost no weight, and these decide
    the pose.
    """
    alphas_cumprod = scheduler.alphas_cumprod.to(timesteps.device)[timesteps]
    snr = alphas_cumprod / (1.0 - alphas_cumprod)
    return snr.clamp(max=gamma) / snr
