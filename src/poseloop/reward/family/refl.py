"""ReFL (ImageReward, 2304.05977): one late step carries gradient, the reward is capped.

Fact sheet DrPose 5: sampling runs without gradient to a step drawn from a late window, the clean
estimate of that one step is rewarded. The published loss is the mean of relu(margin - r).
"""

import torch

from poseloop.multiview.fitting import Row
from poseloop.reward.drtune import Plan, propagate, rollout, upstream_gradients
from poseloop.reward.family.config import ReflConfig
from poseloop.reward.family.problem import Batch, Problem


def refl(config: ReflConfig, problem: Problem, batch: Batch, generator: torch.Generator) -> Row:
    """One ReFL step; `position` counts from the noisiest step, 0."""
    total = problem.ddim_steps
    first = int(config.earliest * total)
    position = int(torch.randint(first, total, (), generator=generator))
    plan = Plan(last=position, gradient=frozenset({position}))
    estimate, steps = rollout(
        problem.denoiser,
        problem.scheduler,
        batch.image_latents,
        batch.noise,
        plan,
        total,
    )
    reward = problem.reward(estimate, batch.joints)
    loss = config.weight * torch.relu(config.margin - reward).mean()
    nothing = 0.0 * steps[0].prediction.sum()
    gradients = upstream_gradients(loss, nothing, estimate, steps, normalise=False)
    propagate(problem.denoiser, steps, gradients, batch.image_latents)
    return {"reward": reward.mean().item()}
