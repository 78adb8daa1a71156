"""Full samples of held-out subjects during fine-tuning: their reward and their error in latents."""

import torch
from torch import nn

from poseloop.multiview.config import MultiviewConfig
from poseloop.multiview.dataset import LatentSet
from poseloop.multiview.fitting import Row
from poseloop.multiview.sampler import sample
from poseloop.multiview.schedule import make_scheduler
from poseloop.reward.posescore import PoseScore
from poseloop.runtime.seeds import torch_rng


def validate_sets(
    denoiser: nn.Module,
    base_config: MultiviewConfig,
    posescore: PoseScore,
    held_out: dict[str, LatentSet],
    ddim_steps: int,
    device: torch.device,
) -> Row:
    """`validation_reward_<set>` and `validation_mse_<set>` (`validate_samples`) of every set."""
    row = {}
    for name, data in held_out.items():
        quality = validate_samples(denoiser, base_config, posescore, data, ddim_steps, device)
        row |= {f"validation_{key}_{name}": value for key, value in quality.items()}
    return row


@torch.no_grad()
def validate_samples(
    denoiser: nn.Module,
    base_config: MultiviewConfig,
    posescore: PoseScore,
    data: LatentSet,
    ddim_steps: int,
    device: torch.device,
    batch_size: int = 8,
) -> Row:
    """Reward of full samples for held-out subjects, and their squared error in latents.

    The noise is fixed by the base's seed, so that values compare across steps and variants.
    """
    scheduler = make_scheduler(base_config.schedule)
    noise = torch.randn(
        data.latents.shape, generator=torch_rng(base_config.seed, "drpose", "validation")
    )
    rewards, errors = [], []
    for start in range(0, len(data), batch_size):
        part = slice(start, start + batch_size)
        latents = sample(
            denoiser,
            scheduler,
            data.image_latents[part].to(device),
            noise[part].to(device),
            ddim_steps,
        )
        rewards.append(posescore(latents, data.joints[part].to(device)))
        truth = data.latents[part].to(device)
        errors.append((latents - truth)[:, 1:].square().flatten(1).mean(1))
    return {"reward": float(torch.cat(rewards).mean()), "mse": float(torch.cat(errors).mean())}
