"""Drawing the frames of sequences from reference pictures and body renders."""

from pathlib import Path

import numpy as np
import torch
from torch import nn

from poseloop.multiview.animate.clips import sequence_noise
from poseloop.multiview.animate.config import AnimateConfig
from poseloop.multiview.animate.network import AnimationDenoiser
from poseloop.multiview.autoencoder import Autoencoder
from poseloop.multiview.schedule import make_scheduler
from poseloop.multiview.views import to_float, to_uint8
from poseloop.runtime.rebuilding import rebuilding
from poseloop.runtime.seeds import torch_rng
from poseloop.runtime.weights import load_into, read_weights


def guided_prediction(
    denoiser: nn.Module,
    latents: torch.Tensor,
    timesteps: torch.Tensor,
    reference_latents: torch.Tensor,
    parts: torch.Tensor,
    guidance: float,
) -> torch.Tensor:
    """Prediction with classifier-free guidance on the reference; a scale of 1 costs one pass.

    Shapes as in `AnimationDenoiser.forward`. The pose is given on both sides of the difference,
    as in MIMO's code family.
    """
    conditional = denoiser(latents, timesteps, reference_latents, parts)
    if guidance == 1.0:
        return conditional
    nobody = torch.zeros_like(reference_latents)
    unconditional = denoiser(latents, timesteps, nobody, parts)
    return unconditional + guidance * (conditional - unconditional)


@torch.no_grad()
def draw_frames(
    denoiser: nn.Module,
    autoencoder: Autoencoder,
    reference_rgb: np.ndarray,
    parts: np.ndarray,
    config: AnimateConfig,
    device: torch.device,
    name: str,
) -> np.ndarray:
    """Frames of N sequences.

    Parameters
    ----------
    reference_rgb : (N, S, S, 3) uint8
    parts : (N, F, S, S, 3) uint8
    name : of the set; a sequence's noise is a stream of the seed, this name and its row alone, so
        that neither the batch nor the other sequences change it

    Returns
    -------
    (N, F, S, S, 3) uint8
    """
    scheduler, settings = make_scheduler(config.schedule), config.sample
    drawn = []
    for start in range(0, len(parts), settings.batch_size):
        rows = range(start, min(start + settings.batch_size, len(parts)))
        batch = slice(start, rows.stop)
        reference = autoencoder.encode(to_float(torch.from_numpy(reference_rgb[batch]).to(device)))
        poses = to_float(torch.from_numpy(parts[batch]).to(device))
        streams = [torch_rng(config.seed, "animate", "frames", name, row) for row in rows]
        shape = torch.Size((1, parts.shape[1], *reference.shape[1:]))

        def noise(streams=streams, shape=shape) -> torch.Tensor:
            draws = [sequence_noise(shape, config.shared_noise, stream) for stream in streams]
            return torch.cat(draws).to(device)

        latents = noise()
        scheduler.set_timesteps(settings.steps, device=device)
        for timestep in scheduler.timesteps:
            timesteps = timestep.expand(len(latents))
            v = guided_prediction(denoiser, latents, timesteps, reference, poses, settings.guidance)
            fresh = noise() if settings.eta else None
            step = scheduler.step(v, timestep, latents, settings.eta, variance_noise=fresh)
            latents = step.prev_sample
        decoded = autoencoder.decode(latents.flatten(0, 1)).unflatten(0, latents.shape[:2])
        drawn.append(to_uint8(decoded).cpu().numpy())
    return np.concatenate(drawn)


def redraw(autoencoder: Autoencoder, rgb: np.ndarray, batch_size: int) -> np.ndarray:
    """Pictures (..., S, S, 3) uint8 through the autoencoder and back: what no frame can better."""
    flat = torch.from_numpy(rgb.reshape(-1, *rgb.shape[-3:]))
    decoded = [
        to_uint8(autoencoder.decode(autoencoder.encode(to_float(part))))
        for part in flat.split(batch_size)
    ]
    return torch.cat(decoded).numpy().reshape(rgb.shape)


def load_animator(
    path: str | Path, device: torch.device
) -> tuple[AnimationDenoiser, AnimateConfig]:
    """The model, frozen, in evaluation mode, and the configuration that it was trained with.

    Raises
    ------
    UserError
        The file is missing or holds other weights.
    """
    state, metadata = read_weights(path)
    with rebuilding(path, state):
        config = AnimateConfig.model_validate(metadata["animate"])
        denoiser = AnimationDenoiser(config.network)
    load_into(denoiser, state, path)
    return denoiser.to(device).eval().requires_grad_(False), config
