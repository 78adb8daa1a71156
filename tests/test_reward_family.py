"""The family of direct rewards, each on a problem with a known gradient or optimum."""

import copy
import math

import pytest
import torch
from torch import nn

from poseloop.multiview.config import MultiviewConfig, ScheduleConfig
from poseloop.multiview.dataset import LatentSet
from poseloop.multiview.schedule import make_scheduler, predict_original
from poseloop.reward.family.alignprop import alignprop, draw_depth
from poseloop.reward.family.chain import sample_with_graph
from poseloop.reward.family.config import (
    AlignPropConfig,
    DpoConfig,
    DraftConfig,
    DrTuneMethod,
    ReflConfig,
)
from poseloop.reward.family.dpo import dpo, preference_loss
from poseloop.reward.family.draft import draft
from poseloop.reward.family.problem import Batch, Problem
from poseloop.reward.family.refl import refl
from poseloop.reward.family.supervised import supervised
from poseloop.reward.family.training import make_method
from poseloop.runtime.config import load_config

SCHEDULER = make_scheduler(
    ScheduleConfig(
        train_timesteps=1000, beta_start=0.00085, beta_end=0.012, timestep_spacing="trailing"
    )
)
SHAPE = (2, 6, 2, 2, 3, 3)
STEPS = 6
GOAL = torch.randn(SHAPE[1:], generator=torch.Generator().manual_seed(9)).double()


class Mixer(nn.Module):
    """A small denoiser that depends on all of its inputs."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2))

    def forward(self, latents, timesteps, image_latents):
        condition = image_latents[:, None, None].expand_as(latents)
        hidden = torch.cat([latents, condition], 3).movedim(3, -1)
        scale = 1 + timesteps.to(latents).view(-1, 1, 1, 1, 1, 1) / 1000
        return self.layers(hidden).movedim(-1, 3) * scale


class Constant(nn.Module):
    """Predicts the same v for all inputs at a timestep: what is best for a reward is known."""

    def __init__(self) -> None:
        super().__init__()
        self.v = nn.Parameter(torch.zeros(SHAPE[1:]).double())

    def forward(self, latents, timesteps, image_latents):
        return self.v.expand_as(latents) + 0 * latents


def reward_of(latents, joints):
    return -(latents - GOAL).square().flatten(1).mean(1)


def problem_of(denoiser):
    base = copy.deepcopy(denoiser).requires_grad_(False)
    return Problem(denoiser, base, SCHEDULER, reward_of, STEPS)


@pytest.fixture
def problem():
    torch.manual_seed(0)
    problem = problem_of(Mixer().double())
    with torch.no_grad():
        for parameter in problem.denoiser.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return problem


@pytest.fixture
def batch():
    generator = torch.Generator().manual_seed(1)
    image = torch.randn(2, 2, 3, 3, generator=generator).double()
    return Batch(image, torch.zeros(2, 24, 3), torch.randn(SHAPE, generator=generator).double())


def rng(seed=3):
    return torch.Generator().manual_seed(seed)


def taken(problem):
    """The gradients left on the parameters, which are cleared."""
    gradients = [parameter.grad.clone() for parameter in problem.denoiser.parameters()]
    problem.denoiser.zero_grad()
    return gradients


def assert_same(found, expected):
    assert max(gradient.abs().max() for gradient in expected) > 1e-4
    for ours, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-12)


def plain_chain(problem, batch, first):
    """Clean latents by the sampler, with one graph from position `first` on."""
    SCHEDULER.set_timesteps(STEPS)
    latents = batch.noise
    for position, timestep in enumerate(SCHEDULER.timesteps):
        with torch.set_grad_enabled(position >= first):
            timesteps = timestep.expand(len(latents))
            v = problem.denoiser(latents, timesteps, batch.image_latents)
            estimate = predict_original(SCHEDULER, v, latents, timesteps)
            latents = SCHEDULER.step(v, timestep, latents).prev_sample
    return estimate


@pytest.mark.parametrize("last_steps", [1, 3, STEPS, 99])
def test_draft_has_the_gradient_of_the_end_of_the_chain(problem, batch, last_steps):
    config = DraftConfig(kind="draft", last_steps=last_steps, renoised=0)
    row = draft(config, problem, batch, rng())
    found = taken(problem)
    reward = reward_of(plain_chain(problem, batch, max(0, STEPS - last_steps)), None).mean()
    (1 - reward).backward()
    assert_same(found, taken(problem))
    assert row["reward"] == pytest.approx(reward.item())


def test_draft_lv_averages_the_gradients_of_its_copies(problem, batch):
    row = draft(DraftConfig(kind="draft", last_steps=1, renoised=3), problem, batch, rng())
    found = taken(problem)
    clean = plain_chain(problem, batch, STEPS).detach()
    generator, timesteps, rewards = rng(), SCHEDULER.timesteps[-1].expand(2), []
    for _ in range(3):
        noise = torch.randn(SHAPE, generator=generator).double()
        latents = SCHEDULER.add_noise(clean, noise, timesteps)
        v = problem.denoiser(latents, timesteps, batch.image_latents)
        rewards.append(reward_of(predict_original(SCHEDULER, v, latents, timesteps), None).mean())
    (1 - torch.stack(rewards).mean()).backward()
    assert_same(found, taken(problem))
    assert row["reward"] == pytest.approx(torch.stack(rewards).mean().item())


def test_alignprop_is_the_chain_cut_where_it_drew(problem, batch):
    config = AlignPropConfig(kind="alignprop", cut="uniform", mean=0.8, deviation=0.1)
    row = alignprop(config, problem, batch, rng())
    found = taken(problem)
    (1 - reward_of(plain_chain(problem, batch, STEPS - int(row["depth"])), None).mean()).backward()
    assert_same(found, taken(problem))


def test_alignprops_cuts_have_their_distributions():
    generator = rng()
    uniform = AlignPropConfig(kind="alignprop", cut="uniform", mean=0.8, deviation=0.1)
    depths = [draw_depth(uniform, 10, generator) for _ in range(2000)]
    assert set(depths) == set(range(1, 11))
    assert sum(depths) / len(depths) == pytest.approx(5.5, abs=0.2)
    # The official default, 42 and 5 of 50: 8 steps carry gradient on average.
    normal = AlignPropConfig(kind="alignprop", cut="normal", mean=0.84, deviation=0.1)
    depths = [draw_depth(normal, 50, generator) for _ in range(2000)]
    assert sum(depths) / len(depths) == pytest.approx(8, abs=0.5)
    assert min(depths) >= 1


def test_checkpointing_does_not_change_the_samples(problem, batch):
    full, none = (sample_with_graph(problem, batch, steps) for steps in (STEPS, 1))
    torch.testing.assert_close(full.detach(), none.detach())


def test_refl_has_the_gradient_of_one_late_estimate(problem, batch):
    config = ReflConfig(kind="refl", earliest=0.5, margin=100.0, weight=0.3)
    row = refl(config, problem, batch, rng())
    found = taken(problem)
    position = int(torch.randint(3, STEPS, (), generator=rng()))
    SCHEDULER.set_timesteps(STEPS)
    latents = batch.noise
    for at, timestep in enumerate(SCHEDULER.timesteps):
        timesteps = timestep.expand(2)
        v = problem.denoiser(latents.detach(), timesteps, batch.image_latents)
        if at == position:
            break
        latents = SCHEDULER.step(v.detach(), timestep, latents).prev_sample
    reward = reward_of(predict_original(SCHEDULER, v, latents, timesteps), None)
    (0.3 * (100 - reward).mean()).backward()
    assert_same(found, taken(problem))
    assert row["reward"] == pytest.approx(reward.mean().item())


def test_refl_leaves_rewards_above_the_margin_alone(problem, batch):
    config = ReflConfig(kind="refl", earliest=0.5, margin=-1e6, weight=1.0)
    refl(config, problem, batch, rng())
    assert all(gradient.abs().max() == 0 for gradient in taken(problem))


DRTUNE = {
    "ddim_steps": STEPS,
    "gradient_steps": 2,
    "early_stop": 2,
    "inside_prefix": True,
    "normalise_steps": False,
}
ARMS = {
    "refl": ReflConfig(kind="refl", earliest=0.5, margin=1.0, weight=1.0),
    "draft_1": DraftConfig(kind="draft", last_steps=1, renoised=0),
    "draft_k": DraftConfig(kind="draft", last_steps=3, renoised=0),
    "draft_lv": DraftConfig(kind="draft", last_steps=1, renoised=2),
    "alignprop": AlignPropConfig(kind="alignprop", cut="uniform", mean=0.8, deviation=0.1),
    "drtune": DrTuneMethod(kind="drtune", drtune=DRTUNE, kl_weight=0.0),
}


@pytest.mark.parametrize("name", ARMS)
def test_a_denoiser_of_one_constant_learns_what_the_reward_wants(name, batch):
    """The sampler is affine in the constant, so the best reward is reached from any start."""
    problem = problem_of(Constant())
    method = make_method(ARMS[name])
    optimizer = torch.optim.Adam(problem.denoiser.parameters(), lr=0.1)
    rewards = []
    for step in range(150):
        optimizer.zero_grad()
        # Equal subjects, so that one constant can serve both.
        same = Batch(batch.image_latents, batch.joints, batch.noise[:1].expand(SHAPE))
        rewards.append(method(problem, same, rng(step))["reward"])
        optimizer.step()
    estimate = sample_with_graph(problem, same, 1)
    assert reward_of(estimate, None).mean().item() > 0.2 * rewards[0]


def test_the_distance_to_the_base_holds_drtune_back(batch):
    problem = problem_of(Constant())
    moved = []
    for weight in (0.0, 100.0):
        problem = problem_of(Constant())
        method = make_method(DrTuneMethod(kind="drtune", drtune=DRTUNE, kl_weight=weight))
        optimizer = torch.optim.Adam(problem.denoiser.parameters(), lr=0.05)
        for step in range(40):
            optimizer.zero_grad()
            row = method(problem, batch, rng(step))
            optimizer.step()
        moved.append(problem.denoiser.v.norm().item())
    assert moved[1] < 0.3 * moved[0]
    assert row["kl"] > 0


def test_dpo_starts_undecided_with_half_the_slope(problem, batch):
    """At the base every advantage is zero: loss log 2, gradient -beta / 2 times the advantage's."""
    for own, other in zip(problem.denoiser.parameters(), problem.base.parameters(), strict=True):
        own.data.copy_(other)
    row = dpo(DpoConfig(kind="dpo", beta=4.0), problem, batch, rng())
    assert row["loss"] == pytest.approx(math.log(2))
    double = taken(problem)
    dpo(DpoConfig(kind="dpo", beta=2.0), problem, batch, rng())
    assert_same(double, [2 * gradient for gradient in taken(problem)])


def test_dpo_learns_to_prefer_the_winner(batch):
    torch.manual_seed(0)
    problem = problem_of(Mixer().double())
    optimizer = torch.optim.Adam(problem.denoiser.parameters(), lr=0.01)
    losses = []
    for _ in range(60):
        optimizer.zero_grad()
        losses.append(dpo(DpoConfig(kind="dpo", beta=50.0), problem, batch, rng(0))["loss"])
        optimizer.step()
    assert losses[-1] < 0.5 * losses[0]


def test_preference_loss_is_the_logistic_one():
    advantage = torch.tensor([0.3, -0.2])
    expected = -torch.log(1 / (1 + torch.exp(-5 * advantage))).mean()
    assert preference_loss(advantage, 5.0).item() == pytest.approx(expected.item())


def test_supervised_learning_finds_the_best_constant():
    """For constant latents c and noise n, v is alpha n - sigma c; its best constant is about -c."""
    problem = problem_of(Constant())
    data = LatentSet(torch.zeros(4, 2, 3, 3).double(), None, GOAL.expand(4, *GOAL.shape), None)
    data = LatentSet(data.image_latents, torch.zeros(4, 24, 3), data.latents, None)
    config = load_config("config/demo/multiview.yaml", MultiviewConfig)
    optimizer = torch.optim.Adam(problem.denoiser.parameters(), lr=0.05)
    for step in range(300):
        optimizer.zero_grad()
        supervised(problem, data, config, 8, 1.0, rng(step))
        optimizer.step()
    cosine = torch.cosine_similarity(problem.denoiser.v.flatten(), -GOAL.flatten(), dim=0)
    assert cosine > 0.9


def test_the_weight_of_supervised_learning_scales_its_gradient(problem):
    data = LatentSet(
        torch.zeros(4, 2, 3, 3).double(), torch.zeros(4, 24, 3), GOAL.expand(4, *GOAL.shape), None
    )
    config = load_config("config/demo/multiview.yaml", MultiviewConfig)
    supervised(problem, data, config, 2, 3.0, rng())
    triple = taken(problem)
    supervised(problem, data, config, 2, 1.0, rng())
    assert_same(triple, [3 * gradient for gradient in taken(problem)])
