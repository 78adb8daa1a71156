"""Supervised fine-tuning: the ordinary diffusion loss on subjects whose views are known.

On scans it is the honest baseline of the same length; on the new poses with their rendered views
it is an oracle, because in use nobody has these views.
"""

import torch

from poseloop.multiview.config import MultiviewConfig
from poseloop.multiview.dataset import LatentSet
from poseloop.multiview.fitting import Row
from poseloop.multiview.training import diffusion_loss
from poseloop.reward.family.problem import Problem


def supervised(
    problem: Problem,
    data: LatentSet,
    base_config: MultiviewConfig,
    batch_size: int,
    weight: float,
    generator: torch.Generator,
) -> Row:
    """Add `weight` times the gradient of the diffusion loss on a random batch of `data`."""
    index = torch.randint(len(data), (batch_size,), generator=generator)
    device = next(problem.denoiser.parameters()).device
    loss = diffusion_loss(
        problem.denoiser,
        problem.scheduler,
        data.latents[index].to(device),
        data.image_latents[index].to(device),
        base_config.train.min_snr_gamma,
        base_config.train.condition_dropout,
        generator,
    )
    (weight * loss).backward()
    return {"anchor": loss.item()}
