"""What every method of the family is given, and what it gives back."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from diffusers import DDIMScheduler
from torch import nn

from poseloop.multiview.fitting import Row

Reward = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""Clean latents (B, V, 2, C, h, w) and joints (B, 24, 3) to rewards (B,), 0 at best."""


@dataclass(frozen=True)
class Problem:
    """A denoiser to be tuned and all that is fixed about it.

    denoiser : the weights that are trained
    base : frozen copy from before
    scheduler : DDIM of the base's schedule
    reward : differentiable
    ddim_steps : T, steps of the sampler
    """

    denoiser: nn.Module
    base: nn.Module
    scheduler: DDIMScheduler
    reward: Reward
    ddim_steps: int


@dataclass(frozen=True)
class Batch:
    """B subjects to learn from.

    image_latents : (B, C, h, w)
    joints : (B, 24, 3) normalised view frame
    noise : (B, V, 2, C, h, w) where sampling starts
    """

    image_latents: torch.Tensor
    joints: torch.Tensor
    noise: torch.Tensor


Method = Callable[[Problem, Batch, torch.Generator], Row]
"""Adds to the gradients of the denoiser's parameters that of its loss over the batch, and returns
what to log, `reward` among it. All randomness is from the generator, on the CPU."""


def clip_steps(requested: int, total: int) -> int:
    """At least one step and at most all."""
    return max(1, min(requested, total))
