"""Samples for a benchmark: from its input pictures to six views, with their PoseScore."""

import numpy as np
import torch

from poseloop.multiview.autoencoder import Autoencoder
from poseloop.multiview.compute import computed
from poseloop.multiview.config import GenerateConfig, MultiviewConfig
from poseloop.multiview.encoding import encode_inputs
from poseloop.multiview.sampler import sample
from poseloop.multiview.schedule import make_scheduler
from poseloop.multiview.views import COLOUR, NORMAL, mirror_views, to_uint8
from poseloop.reward.posescore import PoseScore
from poseloop.runtime.seeds import torch_rng


@torch.no_grad()
def generate_views(
    denoiser: torch.nn.Module,
    base_config: MultiviewConfig,
    autoencoder: Autoencoder,
    posescore: PoseScore,
    benchmark: dict[str, np.ndarray],
    name: str,
    config: GenerateConfig,
    seed: int,
    device: torch.device,
) -> dict[str, np.ndarray]:
    """Sample all subjects of a benchmark.

    A subject's noise depends on the seed, the benchmark's name and its place in the file, so that
    every method starts from the same noise.

    Parameters
    ----------
    benchmark : `input_rgb` (N, H, W, 3), `input_mask` (N, H, W), `joints` (N, 24, 3); the joints
        serve the reported reward only

    Returns
    -------
    `rgb` and `normal` (N, V, H, W, 3) uint8, not mirrored; `posescore` (N,)
    """
    scheduler = make_scheduler(base_config.schedule)
    image_latents = encode_inputs(
        autoencoder, benchmark["input_rgb"], benchmark["input_mask"], config.batch_size
    )
    joints = torch.from_numpy(benchmark["joints"]).float()
    function = computed(denoiser, config.compute)
    channels, height, width = image_latents.shape[1:]
    shape = (base_config.denoiser.views, 2, channels, height, width)
    rgb, normal, rewards = [], [], []
    for start in range(0, len(joints), config.batch_size):
        part = slice(start, start + config.batch_size)
        subjects = range(start, start + len(joints[part]))
        noise = torch.stack(
            [
                torch.randn(shape, generator=torch_rng(seed, "generate", name, subject))
                for subject in subjects
            ]
        )
        latents = sample(
            function,
            scheduler,
            image_latents[part].to(device),
            noise.to(device),
            config.steps,
            config.guidance,
            config.eta,
            torch_rng(seed, "generate", name, "steps", start),
        )
        rewards.append(posescore(latents, joints[part].to(device)).cpu())
        images = autoencoder.decode(latents.flatten(0, 2)).cpu().unflatten(0, latents.shape[:3])
        images = to_uint8(mirror_views(images, base_config.mirrored_views, view_dim=1))
        normal.append(images[:, :, NORMAL])
        rgb.append(images[:, :, COLOUR])
    return {
        "rgb": torch.cat(rgb).numpy(),
        "normal": torch.cat(normal).numpy(),
        "posescore": torch.cat(rewards).numpy(),
    }
