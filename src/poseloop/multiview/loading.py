"""Rebuild trained networks from their weights files."""

from pathlib import Path

import torch

from poseloop.multiview.autoencoder import Autoencoder
from poseloop.multiview.config import AutoencoderConfig, MultiviewConfig
from poseloop.multiview.denoiser import MultiViewDenoiser
from poseloop.runtime.rebuilding import rebuilding
from poseloop.runtime.weights import load_into, read_weights


def load_autoencoder(path: str | Path, device: torch.device) -> Autoencoder:
    """The autoencoder, frozen, in evaluation mode.

    Raises
    ------
    UserError
        The file is missing or holds other weights.
    """
    state, metadata = read_weights(path)
    with rebuilding(path, state):
        autoencoder = Autoencoder(AutoencoderConfig.model_validate(metadata["autoencoder"]))
    load_into(autoencoder, state, path)
    return autoencoder.to(device, memory_format=torch.channels_last).eval().requires_grad_(False)


def load_multiview(
    path: str | Path, device: torch.device
) -> tuple[MultiViewDenoiser, MultiviewConfig]:
    """The denoiser, frozen, in evaluation mode, and the configuration that it was trained with.

    Raises
    ------
    UserError
        The file is missing or holds other weights.
    """
    state, metadata = read_weights(path)
    with rebuilding(path, state):
        config = MultiviewConfig.model_validate(metadata["multiview"])
        denoiser = MultiViewDenoiser(config.denoiser)
    load_into(denoiser, state, path)
    denoiser = denoiser.to(device, memory_format=torch.channels_last)
    return denoiser.eval().requires_grad_(False), config
