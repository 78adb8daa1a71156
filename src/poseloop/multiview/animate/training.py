"""Training of the image-animation model on rendered sequences."""

import torch
from diffusers import DDIMScheduler
from torch import nn

from poseloop.multiview.animate.clips import ClipLatents, sequence_noise
from poseloop.multiview.animate.config import AnimateConfig
from poseloop.multiview.animate.network import AnimationDenoiser
from poseloop.multiview.fitting import Row, fit_sharded
from poseloop.multiview.schedule import make_scheduler, min_snr_weights
from poseloop.multiview.views import to_float
from poseloop.runtime.checkpoints import Checkpoints
from poseloop.runtime.errors import UserError
from poseloop.runtime.seeds import derive_seed, torch_rng


def animation_loss(
    denoiser: nn.Module,
    scheduler: DDIMScheduler,
    data: ClipLatents,
    index: torch.Tensor,
    config: AnimateConfig,
    dropout: float,
    device: torch.device,
    generator: torch.Generator,
) -> torch.Tensor:
    """Diffusion loss of v-prediction, min-SNR weighted, on the sequences `index`; a scalar.

    One timestep serves all frames of a sequence. The reference picture alone is dropped, never
    the pose, as MIMO's code family does.

    Parameters
    ----------
    dropout : share of sequences without their reference picture
    generator : CPU generator of timesteps, noise and dropout
    """
    count = len(index)
    latents = data.latents[index].to(device)
    timesteps = torch.randint(scheduler.config.num_train_timesteps, (count,), generator=generator)
    timesteps = timesteps.to(device)
    noise = sequence_noise(latents.shape, config.shared_noise, generator).to(device)
    kept = torch.rand(count, generator=generator) >= dropout
    reference = (data.reference_latents[index] * kept[:, None, None, None]).to(device)
    prediction = denoiser(
        scheduler.add_noise(latents, noise, timesteps),
        timesteps,
        reference,
        to_float(data.parts[index].to(device)),
    )
    target = scheduler.get_velocity(latents, noise, timesteps)
    error = (prediction - target).square().flatten(1).mean(1)
    return (min_snr_weights(scheduler, timesteps, config.train.min_snr_gamma) * error).mean()


@torch.no_grad()
def validation_loss(
    denoiser: nn.Module,
    scheduler: DDIMScheduler,
    data: ClipLatents,
    config: AnimateConfig,
    device: torch.device,
) -> float:
    """Loss on held-out sequences at timesteps and noise fixed by the seed."""
    generator = torch_rng(config.seed, "animate", "validation")
    parts = torch.arange(len(data)).split(config.train.batch_size)
    losses = [
        animation_loss(denoiser, scheduler, data, index, config, 0.0, device, generator)
        * len(index)
        for index in parts
    ]
    return float(torch.stack(losses).sum()) / len(data)


def check_sizes(config: AnimateConfig, data: ClipLatents) -> None:
    """Check that the network of a config fits pictures and latents.

    Raises
    ------
    UserError
        Channels or sizes disagree, or a sequence is longer than the motion modules' table.
    """
    network = config.network
    frames, channels, side = data.latents.shape[1:4]
    if channels != network.latent_channels:
        raise UserError(
            f"network.latent_channels: {network.latent_channels}, the autoencoder has {channels}"
        )
    if frames > network.motion_frames:
        raise UserError(f"network.motion_frames: {network.motion_frames} of {frames} frames")
    coarsest = network.patch * 2 ** (len(network.channels) - 1)
    if side % coarsest:
        raise UserError(f"network: latents of side {side} are no multiple of {coarsest}")
    picture, tokens = data.parts.shape[2], side // network.patch
    if picture != tokens * 2 ** len(network.guider_channels):
        raise UserError(
            f"network.guider_channels: {len(network.guider_channels)} halvings do not lead from "
            f"{picture} pixels to {tokens} tokens"
        )


def train_animator(
    config: AnimateConfig,
    data: ClipLatents,
    held_out: ClipLatents,
    device: torch.device,
    checkpoints: Checkpoints,
) -> tuple[AnimationDenoiser, list[Row]]:
    """Train the model; returns its weight average and the log.

    Raises
    ------
    UserError
        The network does not fit the data, or the training diverged.
    """
    check_sizes(config, data)
    torch.manual_seed(derive_seed(config.seed, "animate", "weights"))
    denoiser = AnimationDenoiser(config.network).to(device)
    scheduler = make_scheduler(config.schedule)
    size = config.train.batch_size // config.threads

    def shard(step: int, part: int) -> torch.Tensor:
        generator = torch_rng(config.seed, "animate", "step", step, part)
        index = torch.randint(len(data), (size,), generator=generator)
        dropout = config.train.reference_dropout
        return animation_loss(denoiser, scheduler, data, index, config, dropout, device, generator)

    return fit_sharded(
        denoiser,
        shard,
        config.threads,
        config.train.steps,
        config.train.optimizer,
        config.train.ema_decay,
        checkpoints,
        lambda average: {
            "validation": validation_loss(average, scheduler, held_out, config, device)
        },
        config.train.validate_every,
    )
