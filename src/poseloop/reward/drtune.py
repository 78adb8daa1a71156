"""DRTune: the gradient of a reward through a sampler, one denoiser activation set at a time.

Fact sheet DrPose 1.3 and 1.4. The input of the denoiser is cut from the graph, so the sampler is
linear in the predictions of the gradient steps. One backward pass through that cheap chain gives
the gradient at each prediction. The last gradient step has kept its graph and is propagated
first; every other one is then run again with its graph, and propagated alone. This is exact, and
memory does not grow with the number of gradient steps.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from diffusers import DDIMScheduler

from poseloop.multiview.compute import Function
from poseloop.multiview.fitting import Row
from poseloop.multiview.schedule import predict_original
from poseloop.reward.config import DrTuneConfig


@dataclass(frozen=True)
class Plan:
    """Which steps of one sampling run are executed and which carry gradient.

    Positions count from the noisiest step, 0, to T - 1; the paper's index is T - position.

    Attributes
    ----------
    last : position of the early stop, where the clean estimate is taken
    gradient : positions that carry gradient; those after `last` are never executed
    """

    last: int
    gradient: frozenset[int]


def draw_plan(config: DrTuneConfig, generator: torch.Generator) -> Plan:
    """Draw the early stop and the gradient steps.

    The paper draws s from 1 .. T - (K-1) floor(T/K) and trains at s, s + floor(T/K), ... With
    `inside_prefix` the same rule is applied to the executed steps alone.
    """
    total, count = config.ddim_steps, config.gradient_steps
    stop = int(torch.randint(1, config.early_stop + 1, (), generator=generator))
    span = total - stop + 1 if config.inside_prefix else total
    stride = span // count
    start = int(torch.randint(1, span - (count - 1) * stride + 1, (), generator=generator))
    offset = stop - 1 if config.inside_prefix else 0
    indices = [offset + start + i * stride for i in range(count)]
    return Plan(last=total - stop, gradient=frozenset(total - index for index in indices))


@dataclass(frozen=True)
class GradientStep:
    """One executed step that carries gradient.

    Attributes
    ----------
    timesteps : (B,)
    latents : (B, V, 2, C, h, w) input of the denoiser
    prediction : (B, V, 2, C, h, w) its output, a leaf of the sampler's graph
    output : the same output with the denoiser's graph, kept by the last gradient step alone
    """

    timesteps: torch.Tensor
    latents: torch.Tensor
    prediction: torch.Tensor
    output: torch.Tensor | None


def rollout(
    denoiser: Function,
    scheduler: DDIMScheduler,
    image_latents: torch.Tensor,
    noise: torch.Tensor,
    plan: Plan,
    ddim_steps: int,
) -> tuple[torch.Tensor, list[GradientStep]]:
    """Sample down to the early stop.

    Parameters
    ----------
    image_latents : (B, C, h, w)
    noise : (B, V, 2, C, h, w)

    Returns
    -------
    the one-step estimate of the clean latents, connected to the predictions of the gradient
    steps, and those steps
    """
    scheduler.set_timesteps(ddim_steps, device=noise.device)
    kept = max((step for step in plan.gradient if step <= plan.last), default=None)
    latents, steps = noise, []
    for position, timestep in enumerate(scheduler.timesteps):
        timesteps = timestep.expand(len(latents))
        with torch.set_grad_enabled(position == kept):
            output = denoiser(latents.detach(), timesteps, image_latents)
        prediction = output.detach()
        if position in plan.gradient:
            prediction.requires_grad_()
            graph = output if position == kept else None
            steps.append(GradientStep(timesteps, latents.detach(), prediction, graph))
        if position == plan.last:
            break
        latents = scheduler.step(prediction, timestep, latents).prev_sample
    return predict_original(scheduler, prediction, latents, timesteps), steps


def drift(
    reference: Function, steps: list[GradientStep], image_latents: torch.Tensor
) -> torch.Tensor:
    """Sum over gradient steps of the mean squared distance to the base's prediction.

    L_KL of fact sheet 1.3; predictions are v, the network's own output. A scalar, connected to
    the steps' predictions.
    """
    total = torch.zeros((), device=image_latents.device)
    for step in steps:
        with torch.no_grad():
            base = reference(step.latents, step.timesteps, image_latents)
        total = total + (step.prediction - base).square().mean()
    return total


def upstream_gradients(
    loss: torch.Tensor,
    regulariser: torch.Tensor,
    estimate: torch.Tensor,
    steps: list[GradientStep],
    normalise: bool,
) -> list[torch.Tensor]:
    """Gradient at the prediction of every gradient step.

    Parameters
    ----------
    loss : scalar, a function of `estimate` alone
    regulariser : scalar, a function of the predictions
    estimate : clean latents from `rollout`
    normalise : replace each step's coefficient in the sampler by that of the step in mean, so
        that steps differ in direction only

    Returns
    -------
    a tensor shaped like the prediction for each step
    """
    predictions = [step.prediction for step in steps]
    at_estimate = torch.autograd.grad(loss, estimate, retain_graph=True)[0]
    gradients = torch.autograd.grad(estimate, predictions, at_estimate, allow_unused=True)
    gradients = [
        torch.zeros_like(prediction) if gradient is None else gradient
        for prediction, gradient in zip(predictions, gradients, strict=True)
    ]
    if normalise:
        scale = at_estimate.norm() / len(steps)
        gradients = [
            gradient * (scale / gradient.norm().clamp_min(1e-20)) for gradient in gradients
        ]
    penalties = torch.autograd.grad(regulariser, predictions)
    return [gradient + penalty for gradient, penalty in zip(gradients, penalties, strict=True)]


def propagate(
    denoiser: Function,
    steps: list[GradientStep],
    gradients: list[torch.Tensor],
    image_latents: torch.Tensor,
) -> None:
    """Accumulate parameter gradients, one step's graph in memory at a time."""
    for step, gradient in reversed(list(zip(steps, gradients, strict=True))):
        output = step.output
        if output is None:
            output = denoiser(step.latents, step.timesteps, image_latents)
        output.backward(gradient)


def reward_step(
    denoiser: Function,
    base: Function,
    scheduler: DDIMScheduler,
    reward: Callable[[torch.Tensor], torch.Tensor],
    image_latents: torch.Tensor,
    noise: torch.Tensor,
    config: DrTuneConfig,
    kl_weight: float,
    generator: torch.Generator,
    share: float = 1.0,
) -> Row:
    """Accumulate the gradient of ``share * ((1 - r) + kl_weight * L_KL)`` (fact sheet DrPose 1.3).

    Parameters
    ----------
    reward : clean latents (B, V, 2, C, h, w) to rewards (B,)
    image_latents : (B, C, h, w)
    noise : (B, V, 2, C, h, w)
    generator : stream of the plan
    share : of an optimiser step, with gradient accumulation

    Returns
    -------
    what to log: `reward`, the mean, and `kl`
    """
    plan = draw_plan(config, generator)
    estimate, steps = rollout(denoiser, scheduler, image_latents, noise, plan, config.ddim_steps)
    mean = reward(estimate).mean()
    kl = drift(base, steps, image_latents)
    if steps:
        gradients = upstream_gradients(
            share * (1.0 - mean), share * kl_weight * kl, estimate, steps, config.normalise_steps
        )
        propagate(denoiser, steps, gradients, image_latents)
    return {"reward": mean.item(), "kl": kl.item()}
