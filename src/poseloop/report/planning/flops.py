"""Arithmetic of one pass of each network, counted on the meta device: no memory, no weights."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from diffusers import AutoencoderKL
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from poseloop.evaluate.config import JudgeConfig
from poseloop.evaluate.judge import Judge
from poseloop.multiview.autoencoder import Autoencoder
from poseloop.multiview.config import AutoencoderConfig, DenoiserConfig
from poseloop.multiview.denoiser import MultiViewDenoiser
from poseloop.multiview.pshuman.config import UNetConfig
from poseloop.multiview.pshuman.unet import MultiViewUNet
from poseloop.reward.config import PoseScoreConfig
from poseloop.reward.posescore import SkeletonPredictor

# CLIP's tokens of a prompt.
_PROMPT_TOKENS = 77


@dataclass(frozen=True)
class Network:
    """Cost of a network: floating-point operations of a forward pass, and parameters."""

    flops: float
    parameters: int


def count_network(make: Callable[[], nn.Module], run: Callable[[nn.Module], object]) -> Network:
    """Make a network and run it once, both without memory or weights."""
    with torch.device("meta"), torch.no_grad():
        module = make()
        with FlopCounterMode(display=False) as counter:
            run(module)
    parameters = sum(parameter.numel() for parameter in module.parameters())
    return Network(float(counter.get_total_flops()), parameters)


def latent_side(config: AutoencoderConfig, size: int) -> int:
    """Side of the latents of pictures of `size` pixels."""
    return size // (config.patch * 2 ** (len(config.channels) - 1))


def encoder(config: AutoencoderConfig, size: int) -> Network:
    """One picture to latents; the parameters are the whole autoencoder's."""
    return count_network(
        lambda: Autoencoder(config), lambda module: module.encode_raw(torch.empty(1, 3, size, size))
    )


def decoder(config: AutoencoderConfig, size: int) -> Network:
    """Latents of one picture to pixels; the parameters are the whole autoencoder's."""
    side = latent_side(config, size)
    shape = (1, config.latent_channels, side, side)
    return count_network(
        lambda: Autoencoder(config), lambda module: module.decode_raw(torch.empty(shape))
    )


def denoiser(config: DenoiserConfig, side: int) -> Network:
    """All views and modalities of one subject, once."""
    channels = config.latent_channels
    return count_network(
        lambda: MultiViewDenoiser(config),
        lambda module: module(
            torch.empty(1, config.views, 2, channels, side, side),
            torch.empty(1, dtype=torch.long),
            torch.empty(1, channels, side, side),
        ),
    )


def released(config: UNetConfig) -> Network:
    """All slots and modalities of one subject through a released network, once."""
    slots, channels, side = config.slots, config.latent_channels, config.sample_size
    return count_network(
        lambda: MultiViewUNet(config),
        lambda module: module(
            torch.empty(1, slots, 2, channels, side, side),
            torch.empty(1, dtype=torch.long),
            torch.empty(1, slots, channels, side, side),
            torch.empty(1, slots, config.picture_channels),
            torch.empty(slots, 2, _PROMPT_TOKENS, config.prompt_channels),
        ),
    )


def stable_diffusion_autoencoder(size: int) -> tuple[Network, Network]:
    """Stable Diffusion's encoder and decoder on one picture of `size` pixels."""

    def make() -> nn.Module:
        return AutoencoderKL(
            down_block_types=["DownEncoderBlock2D"] * 4,
            up_block_types=["UpDecoderBlock2D"] * 4,
            block_out_channels=[128, 256, 512, 512],
            layers_per_block=2,
            latent_channels=4,
        )

    latents = (1, 4, size // 8, size // 8)
    encoder = count_network(make, lambda module: module.encode(torch.empty(1, 3, size, size)))
    return encoder, count_network(make, lambda module: module.decode(torch.empty(latents)))


def predictor(config: PoseScoreConfig, channels: int, side: int) -> Network:
    """Skeleton maps of one view from its latents."""
    return count_network(
        lambda: SkeletonPredictor(config, channels, side),
        lambda module: module(torch.empty(1, 1, 2, channels, side, side)),
    )


def judge(config: JudgeConfig, size: int) -> Network:
    """Joints in one picture."""
    return count_network(
        lambda: Judge(config.channels, config.blocks, config.bins),
        lambda module: module(torch.empty(1, 6, size, size)),
    )
