import copy

import pytest
import torch
from torch import nn

from poseloop.multiview.config import ScheduleConfig
from poseloop.multiview.schedule import make_scheduler, predict_original
from poseloop.reward.config import DrTuneConfig
from poseloop.reward.drtune import (
    Plan,
    draw_plan,
    drift,
    propagate,
    rollout,
    upstream_gradients,
)

SCHEDULER = make_scheduler(
    ScheduleConfig(
        train_timesteps=1000, beta_start=0.00085, beta_end=0.012, timestep_spacing="trailing"
    )
)
SHAPE = (2, 6, 2, 4, 4, 4)


class TinyDenoiser(nn.Module):
    """A denoiser with activations worth counting."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(8, 64, 3, padding=1), nn.SiLU(), nn.Conv2d(64, 4, 3, padding=1)
        )

    def forward(self, latents, timesteps, image_latents):
        condition = image_latents[:, None, None].expand_as(latents)
        hidden = torch.cat([latents, condition], dim=3).flatten(0, 2)
        scale = 1 + timesteps.double().view(-1, 1, 1, 1, 1, 1) / 1000
        return self.layers(hidden).unflatten(0, latents.shape[:3]) * scale


@pytest.fixture
def problem():
    torch.manual_seed(0)
    denoiser = TinyDenoiser().double()
    base = copy.deepcopy(denoiser).requires_grad_(False)
    with torch.no_grad():
        for parameter in denoiser.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    image, noise = torch.randn(2, 4, 4, 4).double(), torch.randn(SHAPE).double()
    return denoiser, base, image, noise, torch.randn(SHAPE).double()


def plain_gradient(problem, plan, steps, kl_weight):
    """The same algorithm with one graph over the whole run."""
    denoiser, base, latents_image, latents, target = problem
    denoiser.zero_grad()
    SCHEDULER.set_timesteps(steps)
    kl = 0.0
    for position, timestep in enumerate(SCHEDULER.timesteps):
        timesteps = timestep.expand(len(latents))
        v = denoiser(latents.detach(), timesteps, latents_image)
        if position in plan.gradient:
            kl = kl + (v - base(latents.detach(), timesteps, latents_image)).square().mean()
        else:
            v = v.detach()
        if position == plan.last:
            break
        latents = SCHEDULER.step(v, timestep, latents).prev_sample
    estimate = predict_original(SCHEDULER, v, latents, timesteps)
    loss = (estimate - target).square().mean() + kl_weight * kl
    loss.backward()
    return [parameter.grad.clone() for parameter in denoiser.parameters()]


def split_gradient(problem, plan, steps, kl_weight, normalise=False):
    denoiser, base, image, noise, target = problem
    denoiser.zero_grad()
    estimate, gradient_steps = rollout(denoiser, SCHEDULER, image, noise, plan, steps)
    loss = (estimate - target).square().mean()
    kl = kl_weight * drift(base, gradient_steps, image)
    gradients = upstream_gradients(loss, kl, estimate, gradient_steps, normalise)
    propagate(denoiser, gradient_steps, gradients, image)
    return [parameter.grad.clone() for parameter in denoiser.parameters()]


@pytest.mark.parametrize("gradient", [{0, 4}, {3, 7}, {7}, {0, 1, 2, 3, 4, 5, 6, 7}])
def test_split_backward_equals_one_graph(problem, gradient):
    plan = Plan(last=7, gradient=frozenset(gradient))
    plain = plain_gradient(problem, plan, 10, kl_weight=0.3)
    split = split_gradient(problem, plan, 10, kl_weight=0.3)
    assert max(gradient.abs().max() for gradient in plain) > 1e-3
    for ours, theirs in zip(split, plain, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-12)


def peak_saved_bytes(run) -> int:
    """Largest sum of bytes that autograd holds for backward at one time."""
    held = {"now": 0, "peak": 0}

    class Saved:
        def __init__(self, tensor):
            self.tensor = tensor
            held["now"] += tensor.numel() * tensor.element_size()
            held["peak"] = max(held["peak"], held["now"])

        def __del__(self):
            held["now"] -= self.tensor.numel() * self.tensor.element_size()

    with torch.autograd.graph.saved_tensors_hooks(Saved, lambda saved: saved.tensor):
        run()
    return held["peak"]


def test_memory_does_not_grow_with_the_gradient_steps(problem):
    def peak(gradient, function):
        plan = Plan(last=9, gradient=frozenset(gradient))
        return peak_saved_bytes(lambda: function(problem, plan, 10, 0.3))

    one, eight = peak({5}, split_gradient), peak(set(range(1, 9)), split_gradient)
    assert eight < 1.5 * one
    assert peak(set(range(1, 9)), plain_gradient) > 3 * peak({5}, plain_gradient)


def test_the_coefficient_of_a_step_is_the_one_of_the_linear_sampler(problem):
    denoiser, base, image, noise, _ = problem
    plan = Plan(last=9, gradient=frozenset({8}))
    estimate, steps = rollout(denoiser, SCHEDULER, image, noise, plan, 10)
    slope = torch.autograd.grad(estimate.sum(), steps[0].prediction)[0]
    now, then = SCHEDULER.alphas_cumprod[SCHEDULER.timesteps[[8, 9]]].double()
    alpha, sigma = now.sqrt(), (1 - now).sqrt()
    alpha_next, sigma_next = then.sqrt(), (1 - then).sqrt()
    expected = alpha_next * (sigma_next * alpha - alpha_next * sigma)
    torch.testing.assert_close(slope, torch.full_like(slope, expected.item()), rtol=1e-4, atol=0)


def test_normalised_steps_differ_in_direction_only(problem):
    denoiser, base, image, noise, target = problem
    plan = Plan(last=7, gradient=frozenset({1, 7}))
    estimate, steps = rollout(denoiser, SCHEDULER, image, noise, plan, 10)
    loss = (estimate - target).square().mean()
    nothing = 0.0 * drift(base, steps, image)
    early, late = upstream_gradients(loss, nothing, estimate, steps, normalise=True)
    assert early.norm().item() == pytest.approx(late.norm().item())
    estimate, steps = rollout(denoiser, SCHEDULER, image, noise, plan, 10)
    loss = (estimate - target).square().mean()
    nothing = 0.0 * drift(base, steps, image)
    early, late = upstream_gradients(loss, nothing, estimate, steps, normalise=False)
    assert early.norm() < 0.5 * late.norm()


def config(inside_prefix: bool) -> DrTuneConfig:
    return DrTuneConfig(
        ddim_steps=20,
        gradient_steps=2,
        early_stop=8,
        inside_prefix=inside_prefix,
        normalise_steps=False,
    )


def test_the_papers_rule_wastes_the_share_that_the_fact_sheet_counts():
    generator = torch.Generator().manual_seed(0)
    plans = [draw_plan(config(False), generator) for _ in range(4000)]
    assert all(abs(a - b) == 10 for a, b in (sorted(plan.gradient) for plan in plans))
    never_run = sum(max(plan.gradient) > plan.last for plan in plans) / len(plans)
    at_the_stop = sum(max(plan.gradient) == plan.last for plan in plans) / len(plans)
    assert never_run == pytest.approx(0.35, abs=0.03)
    assert at_the_stop == pytest.approx(0.10, abs=0.02)


def test_inside_the_prefix_no_gradient_step_is_wasted():
    generator = torch.Generator().manual_seed(0)
    plans = [draw_plan(config(True), generator) for _ in range(2000)]
    assert all(min(plan.gradient) >= 0 and max(plan.gradient) <= plan.last for plan in plans)
    assert all(len(plan.gradient) == 2 for plan in plans)
    assert {plan.last for plan in plans} == set(range(12, 20))
