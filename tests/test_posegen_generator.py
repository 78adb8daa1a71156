"""Generator, discriminators, and the four kinds of feedback."""

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from tiny_data import make_body, make_clips
from tiny_posegen import SIZE, bounds_of, field_of, loop_config, make_small_estimator

from poseloop.posegen.config import FeedbackConfig, MethodConfig
from poseloop.posegen.feedback import (
    DifficultyNet,
    Probe,
    direction_correlation,
    feedback_loss,
    hinge,
)
from poseloop.posegen.generator import (
    Bounds,
    Discriminators,
    Drawn,
    camera_ends,
    diversity_loss,
    usual_cameras,
)
from poseloop.posegen.generator_training import Gan, choose_hard, propose, seek_errors, warm_up


@pytest.fixture(scope="module")
def problem(tmp_path_factory):
    folder = tmp_path_factory.mktemp("posegen")
    body = make_body(folder)
    field, betas, compact = field_of(body)
    bounds, prior = bounds_of(make_clips(folder / "clips.npz"))
    return field, betas, compact, bounds, prior


@pytest.fixture(scope="module")
def probe(problem):
    """A small estimator that has learned something: random weights look at nothing."""
    field, betas, compact, bounds, _ = problem
    torch.manual_seed(0)
    estimator = make_small_estimator("regression", compact).train()
    probe = Probe(field, compact.rest_joints(betas), estimator, 0.1, SIZE, SIZE)
    subject = torch.zeros(48, dtype=torch.int64)
    drawn = bounds(torch.randn(48, 76))
    with torch.no_grad():
        scene = probe.scene(drawn, subject)
        shown = field.render(scene, SIZE)
        pictures = 2 * (shown.colour + (1 - shown.opacity)[..., None]).movedim(-1, 1) - 1
    optimizer = torch.optim.Adam(estimator.parameters(), 3e-3)
    for _ in range(60):
        loss = (estimator(pictures).joints - scene.joints).norm(dim=-1).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    estimator.eval().requires_grad_(False)
    return probe


def test_poses_and_cameras_stay_within_their_bounds(problem):
    *_, bounds, prior = problem
    drawn = bounds(100 * torch.randn(64, 76))
    assert bounds.contains(drawn).all()
    camera = loop_config().generator.camera
    degrees = torch.rad2deg(drawn.camera[:, :3])
    for column, span in enumerate((camera.azimuth, camera.elevation, camera.roll)):
        assert degrees[:, column].min() >= span[0] - 1e-2
        assert degrees[:, column].max() <= span[1] + 1e-2
        assert degrees[:, column].std() > 0
    assert bounds.contains(Drawn(prior[:5], drawn.camera[:5])).all()
    outside = Drawn(drawn.pose + 10, drawn.camera)
    assert not bounds.contains(outside).any()


def test_every_camera_value_changes_the_picture(problem, probe):
    field, *_, bounds, _ = problem
    drawn = bounds(torch.zeros(1, 76))
    subject = torch.zeros(1, dtype=torch.int64)
    before = field.render(probe.scene(drawn, subject), SIZE).opacity
    for value in range(4):
        camera = drawn.camera.clone()
        camera[:, value] += 0.3
        after = field.render(probe.scene(Drawn(drawn.pose, camera), subject), SIZE).opacity
        assert (after - before).abs().max() > 0.01, value


def test_discriminators_learn_to_tell_poses_apart(problem):
    *_, bounds, _ = problem
    torch.manual_seed(0)
    critic = Discriminators(loop_config().generator)
    real = bounds.draw_starts(40, torch.Generator().manual_seed(1))
    fake = Drawn(real.pose + torch.randn(40, 72), real.camera + torch.randn(40, 4))
    optimizer = torch.optim.Adam(critic.parameters(), 3e-3)
    for _ in range(80):
        loss = (critic(real) - 1).square().mean() + critic(fake).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert critic(real).shape == (40, 8)
    assert (critic(real).mean(0) > critic(fake).mean(0) + 0.2).all()


def test_cameras_of_the_prior_are_usual_but_for_the_share_that_is_anywhere():
    config = loop_config().generator
    cameras = usual_cameras(config, 5000, torch.Generator().manual_seed(0)).numpy()
    ends = {name: camera_ends(getattr(config, name)) for name in ("usual", "camera")}
    within = {
        name: ((cameras >= low - 1e-5) & (cameras <= high + 1e-5)).all(1)
        for name, (low, high) in ends.items()
    }
    assert within["camera"].all()
    usual = np.prod(np.diff(ends["usual"], axis=0) / np.diff(ends["camera"], axis=0))
    expected = config.usual_share + (1 - config.usual_share) * usual
    assert within["usual"].mean() == pytest.approx(expected, abs=0.02)


def test_the_diversity_terms_are_zero_for_varied_and_positive_for_equal_poses_or_cameras(problem):
    *_, bounds, _ = problem
    noise, varied = torch.randn(16, 8), 5 * torch.randn(16, 76)
    assert diversity_loss(bounds(varied), noise, bounds, 0.01, 0.001) == 0
    pose = torch.arange(76) < 72
    for still in (pose, ~pose):
        raw = varied.masked_fill(still, 0)
        assert diversity_loss(bounds(raw), noise, bounds, 0.01, 0.001) == pytest.approx(1.0)


def test_even_cameras_have_the_distance_that_the_config_names(problem):
    *_, bounds, _ = problem
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn((4000, 32), generator=generator)
    even = torch.atanh(1.98 * torch.rand((4000, 4), generator=generator) - 0.99)
    raw = torch.cat([torch.zeros(4000, 72), even], dim=1)
    camera = (bounds(raw).camera - bounds.middle[72:]) / bounds.reach[72:]
    apart = (camera - camera.roll(1, 0)).norm(dim=1) / (noise - noise.roll(1, 0)).norm(dim=1)
    assert apart.mean() == pytest.approx(0.2, abs=0.01)


def test_the_hinge_is_bounded_and_leads_to_its_window():
    config = loop_config().feedback.model_copy(update={"target": 3.0, "slack": 1.0})
    hardness = torch.tensor([1.0, 2.5, 3.5, 6.0], requires_grad=True)
    loss = hinge(hardness, config, True)
    assert loss.tolist() == [4.0, 0.0, 0.0, 9.0]
    (slope,) = torch.autograd.grad(loss.sum(), hardness)
    assert slope[0] < 0 < slope[3]
    assert hinge(hardness, config, False).tolist() == [-1.0, -2.5, -3.5, -6.0]


def directions(problem, probe, mode, seed=1, **changes):
    *_, bounds, _ = problem
    generator = torch.Generator().manual_seed(seed)
    raw = 0.5 * torch.randn((24, 76), generator=generator)
    subject = torch.zeros(24, dtype=torch.int64)
    settings = {"step": 0.05, "noise": 0.05, **changes}
    return direction_correlation(mode, raw, subject, bounds, probe, generator, **settings)


def test_each_feedback_predicts_the_real_change_of_error_as_far_as_it_can(problem, probe):
    """The true gradient nearly wholly, the others less; the released one only in part."""
    *_, bounds, _ = problem
    generator = torch.Generator().manual_seed(2)
    drawn = bounds(0.5 * torch.randn((400, 76), generator=generator))
    hardness = probe.hardness(drawn, torch.zeros(400, dtype=torch.int64))
    torch.manual_seed(0)
    net = DifficultyNet(64)
    optimizer = torch.optim.AdamW(net.parameters(), 3e-3, weight_decay=0.01)
    for _ in range(300):
        loss = (net(drawn) - hardness).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    # One draw of directions alone is too noisy for the weak ones.
    measured = {
        mode: sum(directions(problem, probe, mode, seed, **changes) for seed in (1, 2, 3)) / 3
        for mode, changes in {
            "through_render": {},
            "detached": {},
            "score_function": {},
            "difficulty_net": {"difficulty": net},
        }.items()
    }
    true = measured.pop("through_render")
    assert true > 0.7
    assert true > max(measured.values()) + 0.2
    # The score function's estimate from so few draws is not told from none.
    assert min(measured["detached"], measured["difficulty_net"]) > 0.02, measured


def test_the_released_feedback_leaves_the_estimate_out_of_the_gradient(problem, probe):
    """Moving the camera moves label and estimate alike; the release sees the label's part only."""
    *_, bounds, _ = problem
    raw = (0.3 * torch.randn(8, 76)).requires_grad_()
    subject = torch.zeros(8, dtype=torch.int64)
    gradients = {}
    for mode in ("detached", "through_render"):
        loss, _ = feedback_loss(
            mode, raw, subject, bounds, probe, lambda hardness: hardness, 0.1, torch.Generator()
        )
        (gradients[mode],) = torch.autograd.grad(loss, raw)
    # Distance changes the picture but not the label.
    assert gradients["detached"][:, 75].abs().max() == 0
    assert gradients["through_render"][:, 75].abs().max() > 0


@pytest.mark.parametrize("feedback", ["none", "detached", "score_function", "difficulty_net"])
def test_a_round_of_feedback_repeats_exactly(problem, probe, feedback):
    *_, bounds, _ = problem
    config = loop_config()
    method = config.methods["posegen"].model_copy(update={"feedback": feedback})
    config = config.model_copy(update={"methods": {"m": method}})
    results = []
    for _ in range(2):
        gan = Gan(config, bounds, 0)
        warm_up(config, gan, 0)
        rows = seek_errors(config, "m", gan, probe, 0, 0)
        results.append((rows, gan.state_dict()))
    assert results[0][0] == results[1][0]
    assert all(torch.equal(v, results[1][1][k]) for k, v in results[0][1].items())
    assert ("hardness" in rows[-1]) == (feedback != "none")


def test_standard_normal_numbers_have_the_priors_mean_and_spread(problem):
    *_, bounds, prior = problem
    pose = bounds(torch.randn((2000, 76), generator=torch.Generator().manual_seed(0))).pose
    assert (pose.mean(0) - prior.mean(0)).norm() < 0.3 * prior.std(0).norm()
    assert pose.std(0).norm() == pytest.approx(prior.std(0).norm().item(), rel=0.3)


def test_draws_start_at_poses_of_the_prior_and_stay_near_them(problem):
    *_, bounds, prior = problem
    start = bounds(bounds.starts)
    assert torch.allclose(start.pose, prior, atol=1e-3)
    camera = loop_config().generator.camera
    assert start.camera[:, 3].min() >= camera.distance[0]
    assert start.camera[:, 1].std() > 0.05
    gan = Gan(loop_config(), bounds, 0)
    noise = torch.randn((3000, 8), generator=torch.Generator().manual_seed(0))
    raw = gan.generator(noise)
    rows = torch.cdist(raw, bounds.starts).argmin(1)
    assert torch.equal(raw, bounds.starts[rows])  # untrained, it changes nothing
    counts = torch.bincount(rows, minlength=len(prior))
    assert counts.min() > 0.4 * counts.float().mean()  # every pose as often as any other
    assert counts.max() < 1.8 * counts.float().mean()
    torch.nn.init.normal_(gan.generator.layers[-1].weight)
    moved = gan.generator(noise) - raw
    change = loop_config().generator.change
    assert 0.2 < moved.abs().max() <= change.pose
    assert moved[:, 72:].abs().max() <= change.camera
    drawn = bounds.draw_starts(40, torch.Generator().manual_seed(0))
    values, known = (torch.cat(some, dim=1) for some in (drawn, start))
    apart = torch.cdist(values, known, compute_mode="donot_use_mm_for_euclid_dist")
    assert (apart.amin(1) < 1e-4).all()
    assert 10 < len(values.unique(dim=0)) <= 40
    last = gan.generator(torch.full((1, 8), 40.0))
    assert torch.isfinite(last).all()


def test_a_camera_that_may_not_roll_never_does(problem):
    *_, prior = problem
    settings = loop_config().generator
    still = {
        name: getattr(settings, name).model_copy(update={"roll": (0.0, 0.0)})
        for name in ("camera", "usual")
    }
    bounds = Bounds(settings.model_copy(update=still), prior.numpy())
    drawn = bounds(bounds.starts)
    assert (drawn.camera[:, 2] == 0).all()
    assert torch.isfinite(drawn.pose).all()
    noise = torch.randn(len(prior), 8)
    assert torch.isfinite(diversity_loss(drawn, noise, bounds, 1.0, 1.0))


def test_a_generator_from_noise_alone_has_no_starts(problem):
    *_, bounds, _ = problem
    config = loop_config()
    settings = config.generator.model_copy(update={"change": None})
    gan = Gan(config.model_copy(update={"generator": settings}), bounds, 0)
    noise = torch.randn((64, 8), generator=torch.Generator().manual_seed(0))
    raw = gan.generator(noise)
    assert torch.cdist(raw, bounds.starts).min() > 0.1
    assert gan.generator.layers[0].in_features == config.generator.noise


def test_candidates_are_drawn_from_the_hardest_within_the_cap(problem, probe):
    *_, bounds, _ = problem
    config = loop_config()
    gan = Gan(config, bounds, 0)
    torch.nn.init.normal_(gan.generator.layers[-1].weight)  # no two draws alike
    drawn, hardness = propose(config, gan, probe, 12, torch.Generator().manual_seed(3))
    ranked = hardness.sort().values
    cap = float((ranked[-3] + ranked[-2]) / 2)  # two are too hard

    def chosen(capped: bool) -> list[float]:
        limits = config.filter.model_copy(update={"hardness": cap})
        few = config.model_copy(update={"filter": limits})
        generator = torch.Generator().manual_seed(3)
        hard = choose_hard(few, gan, probe, capped, 4, generator)
        rows = torch.cdist(hard.pose, drawn.pose).argmin(1)
        assert len(set(rows.tolist())) == 4
        return hardness[rows].tolist()

    # Of 12 candidates, three for each of four, these come from the hardest eight.
    assert min(chosen(False)) >= ranked[4]
    assert ranked[2] <= min(chosen(True)) and max(chosen(True)) < cap


def test_only_a_generator_is_screened_and_from_enough_candidates():
    config = loop_config()
    prior = config.methods["prior"].model_dump()
    with pytest.raises(ValidationError, match="screened: only a generator has candidates"):
        MethodConfig.model_validate(prior | {"screened": True})
    few = config.feedback.model_dump() | {"candidates": 2, "hardest": 3}
    with pytest.raises(ValidationError, match="hardest: must not be larger than candidates"):
        FeedbackConfig.model_validate(few)


def test_warm_up_brings_poses_back_to_the_prior(problem):
    *_, bounds, prior = problem
    config = loop_config()
    changes = {
        "change": None,
        "warmup_steps": 300,
        "batch_size": 64,
        "hidden": 64,
        "critic_hidden": 32,
    }
    changes |= {"diversity_weight": 0.0, "learning_rate": 2e-3}
    settings = config.generator.model_copy(update=changes)
    config = config.model_copy(update={"generator": settings})
    gan = Gan(config, bounds, 0)
    torch.nn.init.constant_(gan.generator.layers[-1].bias, 1.0)

    def gap() -> float:
        pose = gan.sample(200, settings.noise, torch.Generator().manual_seed(0)).pose
        return float((pose.mean(0) - prior.mean(0)).norm())

    before = gap()
    warm_up(config, gan, 0)
    assert gap() < 0.8 * before
