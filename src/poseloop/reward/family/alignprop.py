"""AlignProp (2310.03739): the gradient through the chain, cut at a random step.

Fact sheet DrPose 5: all predictions before the cut are constants; the published cut is drawn from
a normal distribution near the end of the chain (mean 42, deviation 5 of 50 steps) or evenly.
"""

import torch

from poseloop.multiview.fitting import Row
from poseloop.reward.family.chain import sample_with_graph
from poseloop.reward.family.config import AlignPropConfig
from poseloop.reward.family.problem import Batch, Problem, clip_steps


def draw_depth(config: AlignPropConfig, total: int, generator: torch.Generator) -> int:
    """Steps that carry gradient, of `total`."""
    if config.cut == "uniform":
        return int(torch.randint(1, total + 1, (), generator=generator))
    drawn = config.mean + config.deviation * float(torch.randn((), generator=generator))
    return clip_steps(total - round(drawn * total), total)


def alignprop(
    config: AlignPropConfig, problem: Problem, batch: Batch, generator: torch.Generator
) -> Row:
    """One AlignProp step."""
    depth = draw_depth(config, problem.ddim_steps, generator)
    reward = problem.reward(sample_with_graph(problem, batch, depth), batch.joints).mean()
    (1 - reward).backward()
    return {"reward": reward.item(), "depth": float(depth)}
