"""Training of the multi-view base on scans, and its validation."""

import torch
from diffusers import DDIMScheduler
from torch import nn

from poseloop.multiview.compute import Function, computed
from poseloop.multiview.config import MultiviewConfig
from poseloop.multiview.dataset import LatentSet
from poseloop.multiview.denoiser import MultiViewDenoiser
from poseloop.multiview.fitting import Row, fit_sharded
from poseloop.multiview.schedule import make_scheduler, min_snr_weights
from poseloop.runtime.checkpoints import Checkpoints
from poseloop.runtime.processes import ALONE, Processes
from poseloop.runtime.seeds import derive_seed, torch_rng


def diffusion_loss(
    denoiser: Function,
    scheduler: DDIMScheduler,
    latents: torch.Tensor,
    image_latents: torch.Tensor,
    min_snr_gamma: float,
    condition_dropout: float,
    generator: torch.Generator,
) -> torch.Tensor:
    """The ordinary diffusion loss of v-prediction, min-SNR weighted; a scalar.

    Each modality of a subject draws its own timestep in PSHuman; here one timestep serves a
    subject, because inference never mixes two.

    Parameters
    ----------
    latents : (B, V, 2, C, h, w) clean latents
    image_latents : (B, C, h, w)
    generator : CPU generator of timesteps, noise and dropout
    """
    subjects, device = len(latents), latents.device
    timesteps = torch.randint(
        scheduler.config.num_train_timesteps, (subjects,), generator=generator
    ).to(device)
    noise = torch.randn(latents.shape, generator=generator).to(device)
    kept = torch.rand(subjects, generator=generator).to(device) >= condition_dropout
    noisy = scheduler.add_noise(latents, noise, timesteps)
    target = scheduler.get_velocity(latents, noise, timesteps)
    prediction = denoiser(noisy, timesteps, image_latents * kept[:, None, None, None])
    error = (prediction - target).square().flatten(1).mean(1)
    return (min_snr_weights(scheduler, timesteps, min_snr_gamma) * error).mean()


@torch.no_grad()
def validation_loss(
    denoiser: nn.Module,
    scheduler: DDIMScheduler,
    data: LatentSet,
    config: MultiviewConfig,
    device: torch.device,
) -> float:
    """Diffusion loss on held-out subjects at timesteps and noise fixed by the seed."""
    generator = torch_rng(config.seed, "multiview", "validation")
    batch = config.train.batch_size
    losses = [
        diffusion_loss(
            denoiser,
            scheduler,
            data.latents[start : start + batch].to(device),
            data.image_latents[start : start + batch].to(device),
            config.train.min_snr_gamma,
            0.0,
            generator,
        )
        for start in range(0, len(data) - batch + 1, batch)
    ]
    return float(torch.stack(losses).mean())


def train_multiview(
    config: MultiviewConfig,
    data: LatentSet,
    validation: dict[str, LatentSet],
    device: torch.device,
    checkpoints: Checkpoints,
    processes: Processes = ALONE,
) -> tuple[MultiViewDenoiser, list[Row]]:
    """Train the base; returns its weight average and the log.

    Parameters
    ----------
    data : scans with views
    validation : held-out sets by name, logged as `validation_<name>`
    processes : those that share every batch
    """
    torch.manual_seed(derive_seed(config.seed, "multiview", "weights"))
    denoiser = MultiViewDenoiser(config.denoiser).to(device, memory_format=torch.channels_last)
    denoiser.checkpoint_stages(config.compute.gradient_checkpointing)
    function = computed(denoiser, config.compute)
    scheduler = make_scheduler(config.schedule)

    size = config.train.batch_size // config.parts

    def shard(step: int, part: int) -> torch.Tensor:
        generator = torch_rng(config.seed, "multiview", "step", step, part)
        index = torch.randint(len(data), (size,), generator=generator)
        return diffusion_loss(
            function,
            scheduler,
            data.latents[index].to(device),
            data.image_latents[index].to(device),
            config.train.min_snr_gamma,
            config.train.condition_dropout,
            generator,
        )

    def validate(average: nn.Module) -> Row:
        return {
            f"validation_{name}": validation_loss(average, scheduler, held_out, config, device)
            for name, held_out in validation.items()
        }

    return fit_sharded(
        denoiser,
        shard,
        config.parts,
        config.train.steps,
        config.train.optimizer,
        config.train.ema_decay,
        checkpoints,
        validate,
        config.train.validate_every,
        config.threads,
        processes,
    )
