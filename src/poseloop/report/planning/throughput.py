"""Rates of denoiser training on this machine: what `gpus` in planning.yaml should say."""

import time
from collections.abc import Callable
from itertools import chain, islice, repeat

import numpy as np
import torch
import torch.nn.functional as F
from accelerate import Accelerator
from diffusers.optimization import get_scheduler
from diffusers.training_utils import EMAModel
from torch.utils.data import DataLoader, TensorDataset

from poseloop.multiview.config import MultiviewConfig
from poseloop.multiview.dataset import LatentSet
from poseloop.multiview.denoiser import MultiViewDenoiser
from poseloop.multiview.schedule import make_scheduler
from poseloop.multiview.training import train_multiview
from poseloop.report.planning import flops
from poseloop.runtime.checkpoints import Checkpoints
from poseloop.runtime.seeds import torch_rng


def matrix_rate(device: torch.device, side: int = 8192, repeats: int = 20) -> float:
    """TFLOP/s of products of two square bfloat16 matrices, the best of three rounds."""
    a, b = (torch.randn(side, side, device=device, dtype=torch.bfloat16) for _ in range(2))

    def products() -> None:
        for _ in range(repeats):
            a @ b

    products()
    return 2 * side**3 * repeats / min(_seconds(products, device) for _ in range(3)) / 1e12


def random_latents(config: MultiviewConfig, side: int, subjects: int) -> LatentSet:
    """Latents of nobody: (N, V, 2, C, side, side), normal noise."""
    generator = torch_rng(config.seed, "throughput")
    shape = (config.denoiser.latent_channels, side, side)
    return LatentSet(
        torch.randn((subjects, *shape), generator=generator),
        torch.zeros(subjects, 24, 3),
        torch.randn((subjects, config.denoiser.views, 2, *shape), generator=generator),
        np.full(subjects, "noise"),
    )


def train_here(
    config: MultiviewConfig, data: LatentSet, device: torch.device, steps: int
) -> list[float]:
    """When each of `steps` steps of `train_multiview` ended, in seconds."""
    clock = _Clock(device)
    limited = config.train.model_copy(update={"steps": steps})
    train_multiview(config.model_copy(update={"train": limited}), data, {}, device, clock)
    return clock.times


def train_plainly(
    config: MultiviewConfig, data: LatentSet, device: torch.device, steps: int
) -> list[float]:
    """The same network and optimiser in the loop of diffusers' training examples.

    accelerate's mixed precision in place of ours, no compiled kernels, noise drawn on the device.
    """
    clock, train = _Clock(device), config.train
    mixed = "bf16" if config.compute.precision == "bfloat16" else "no"
    accelerator = Accelerator(mixed_precision=mixed, cpu=device.type == "cpu")
    denoiser = MultiViewDenoiser(config.denoiser)
    average = EMAModel(denoiser.parameters(), decay=train.ema_decay)
    optimizer = torch.optim.AdamW(
        denoiser.parameters(),
        lr=train.optimizer.learning_rate,
        weight_decay=train.optimizer.weight_decay,
    )
    schedule = get_scheduler(
        "cosine",
        optimizer,
        num_warmup_steps=train.optimizer.warmup_steps,
        num_training_steps=train.steps,
    )
    loader = DataLoader(
        TensorDataset(data.latents, data.image_latents), train.batch_size, shuffle=True
    )
    denoiser, optimizer, loader, schedule = accelerator.prepare(
        denoiser, optimizer, loader, schedule
    )
    average.to(device)
    noise_scheduler = make_scheduler(config.schedule)
    last = config.schedule.train_timesteps
    for latents, image_latents in islice(chain.from_iterable(repeat(loader)), steps):
        timesteps = torch.randint(last, (len(latents),), device=device)
        noise = torch.randn_like(latents)
        noisy = noise_scheduler.add_noise(latents, noise, timesteps)
        target = noise_scheduler.get_velocity(latents, noise, timesteps)
        loss = F.mse_loss(denoiser(noisy, timesteps, image_latents).float(), target)
        accelerator.backward(loss)
        accelerator.clip_grad_norm_(denoiser.parameters(), train.optimizer.clip_grad_norm)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        average.step(denoiser.parameters())
        clock.tick()
    return clock.times


def rates(
    train: Callable[..., list[float]],
    config: MultiviewConfig,
    side: int,
    device: torch.device,
    steps: int,
    warmup: int,
) -> dict[str, float]:
    """Rates of a loop after its first `warmup` steps, compilation among them.

    Returns
    -------
    `images` a second (views of both modalities), `tflops` of the counted arithmetic (a backward
    pass counts as two forward passes, activations made again count nothing), `gigabytes`, the
    most of the GPU's memory
    """
    data = random_latents(config, side, 4 * config.train.batch_size)
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    times = train(config, data, device, warmup + steps)
    subjects = config.train.batch_size * steps / (times[warmup + steps - 1] - times[warmup - 1])
    forward = flops.denoiser(config.denoiser, side).flops
    memory = torch.cuda.max_memory_allocated(device) if device.type == "cuda" else 0
    return {
        "images": subjects * config.denoiser.views * 2,
        "tflops": 3 * forward * subjects / 1e12,
        "gigabytes": memory / 1e9,
    }


class _Clock(Checkpoints):
    """In the place of checkpoints: keeps when a step ended, and no state."""

    def __init__(self, device: torch.device) -> None:
        super().__init__("throughput", 1)
        self.device, self.times = device, []

    def restore(self) -> None:
        """There is nothing."""

    def save(self, step: int, state: Callable[[], dict]) -> None:
        """Note the time of a step's end."""
        self.tick()

    def tick(self) -> None:
        """Note the time."""
        _wait(self.device)
        self.times.append(time.perf_counter())


def _seconds(run: Callable[[], None], device: torch.device) -> float:
    _wait(device)
    start = time.perf_counter()
    run()
    _wait(device)
    return time.perf_counter() - start


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
