"""Networks small enough for tests."""

import torch

from poseloop.multiview.config import DenoiserConfig
from poseloop.multiview.denoiser import MultiViewDenoiser

SMALL_DENOISER = DenoiserConfig(
    latent_channels=4,
    patch=2,
    channels=[16, 32],
    blocks=[1, 1],
    heads=2,
    norm_groups=8,
    multiview_attention=["row", "full"],
    views=6,
)


def small_denoiser() -> MultiViewDenoiser:
    torch.manual_seed(0)
    return MultiViewDenoiser(SMALL_DENOISER)
