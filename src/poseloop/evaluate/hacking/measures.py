"""What tells a better sample from one that only pleases the reward (fact sheet DrPose 5)."""

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
import torch
from diffusers import DDIMScheduler
from torch import nn

_LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)


class Codec(Protocol):
    """An autoencoder: pictures (N, 3, H, W) to latents (N, C, h, w) and back."""

    def encode(self, images: torch.Tensor) -> torch.Tensor:
        """Pictures to latents."""

    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        """Latents to pictures."""


def mean_squared(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Mean squared difference per subject: two (B, ...) to (B,)."""
    return (a - b).square().flatten(1).mean(1)


def rewards_and_sharpness(
    reward: Callable[[torch.Tensor], torch.Tensor], latents: torch.Tensor, length: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """Rewards, and what a short step against each reward's gradient costs.

    S1 = r(x) - r(x - rho g / |g|) with g the gradient at x (fact sheet DrPose 5, RSA-FT): samples
    on a sharp peak of the reward owe it to a detail.

    Parameters
    ----------
    reward : (B, ...) to (B,), each of its own subject alone
    latents : (B, ...)
    length : rho, in the units of `latents`

    Returns
    -------
    (B,) rewards and (B,) sharpness, both detached
    """
    with torch.enable_grad():
        point = latents.detach().requires_grad_()
        values = reward(point)
        (gradient,) = torch.autograd.grad(values.sum(), point)
    norm = gradient.flatten(1).norm(dim=1).clamp_min(1e-20)
    step = length * gradient / norm.view(-1, *[1] * (gradient.dim() - 1))
    with torch.no_grad():
        lower = reward(latents - step)
    return values.detach(), values.detach() - lower


@torch.no_grad()
def round_trip(codec: Codec, latents: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Decode latents and encode the pictures: a sample off the autoencoder's manifold moves.

    Parameters
    ----------
    latents : (B, V, 2, C, h, w)

    Returns
    -------
    pictures (B, V, 2, 3, H, W), in the model's layout, and their latents (B, V, 2, C, h, w)
    """
    pictures = codec.decode(latents.flatten(0, 2))
    again = codec.encode(pictures)
    return pictures.unflatten(0, latents.shape[:3]), again.unflatten(0, latents.shape[:3])


@torch.no_grad()
def noisy_predictions(
    denoiser: nn.Module,
    scheduler: DDIMScheduler,
    clean: torch.Tensor,
    noise: torch.Tensor,
    image_latents: torch.Tensor,
    timesteps: Sequence[int],
) -> torch.Tensor:
    """Predictions of v at the same noisy latents for every network.

    Parameters
    ----------
    clean, noise : (B, V, 2, C, h, w)
    image_latents : (B, C, h, w)

    Returns
    -------
    (B, T, V, 2, C, h, w)
    """
    predictions = []
    for timestep in timesteps:
        at = torch.full((len(clean),), timestep, device=clean.device)
        noisy = scheduler.add_noise(clean, noise, at)
        predictions.append(denoiser(noisy, at, image_latents))
    return torch.stack(predictions, 1)


def rms_contrast(rgb: np.ndarray, mask: np.ndarray, level: float) -> np.ndarray:
    """RMS contrast of each subject's body: standard deviation of its luminance.

    Parameters
    ----------
    rgb : (N, K, S, S, 3) uint8 array
    mask : (N, K, S, S) array
        In [0, 1].
    level : float
        Mask value from which a pixel is body.

    Returns
    -------
    (N,) float array
        Over the body's pixels in all K views, luminance in [0, 1]; 0 without such a pixel.
    """
    luminance = rgb.astype(np.float32) / 255 @ _LUMINANCE
    body = mask >= level
    pixels = [values[inside] for values, inside in zip(luminance, body, strict=True)]
    return np.array([float(part.std()) if part.size else 0.0 for part in pixels])
