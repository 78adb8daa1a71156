"""Preference objectives by the book, ranking measures, cleaning."""

import numpy as np
import pytest
import torch

from poseloop.hmr.cleaning import best_first, kept_rows, make_wrong, precision, random_order
from poseloop.hmr.config import DiffusionConfig
from poseloop.hmr.diffusion import add_noise, error_weights, make_scheduler
from poseloop.hmr.dpo import (
    PairErrors,
    dpo_loss,
    group_loss,
    kto_loss,
    matched_beta,
    safeguard,
)
from poseloop.hmr.encoder import detection_loss, soft_argmax
from poseloop.hmr.evaluation_config import CleaningConfig
from poseloop.hmr.losses import masked_mean
from poseloop.hmr.ranking import (
    consensus_score,
    over_pictures,
    ranked_pairs,
    ranknet,
    regret,
    reprojection_score,
    within_pictures,
)
from poseloop.hmr.scorer_config import RankingConfig
from poseloop.hmr.skeleton_body import Bodies
from poseloop.hmr.training import antithetic_timesteps
from poseloop.hmr.transformer import attention_mask, skeleton_distance
from poseloop.runtime.kernels import sample_at

DIFFUSION = DiffusionConfig(train_timesteps=100, beta_start=1e-3, beta_end=0.2, ddim_steps=2)
OPTIMIZER = {
    "learning_rate": 1e-3,
    "weight_decay": 0.0,
    "warmup_steps": 0,
    "clip_grad_norm": 1.0,
    "final_rate": 1.0,
}


def ranking(**changes) -> RankingConfig:
    values = {"slope": 1.0, "errors": {"mpjpe": 1.0}, "soft_mm": 0.0}
    return RankingConfig(**{**values, "across_kinds": True, "answer_weight": 0, **changes})


def test_logits_are_zero_where_policy_and_reference_agree():
    winner, loser = torch.rand(5), torch.rand(5)
    errors = PairErrors(winner, loser, winner, loser)
    assert (errors.logits(100.0) == 0).all()
    assert dpo_loss(errors, 100.0).item() == pytest.approx(np.log(2))


def test_dpo_is_the_mean_of_log_sigmoids():
    zero = torch.zeros(2)
    errors = PairErrors(torch.tensor([-1.0, 3.0]), zero, zero, zero)
    logits = -0.5 * 2.0 * np.array([-1.0, 3.0])
    expected = np.log1p(np.exp(-logits)).mean()
    assert dpo_loss(errors, 2.0).item() == pytest.approx(expected, rel=1e-6)


def test_dpo_lowers_winners_and_raises_losers():
    winner, loser = torch.ones(3, requires_grad=True), torch.ones(3, requires_grad=True)
    one = torch.ones(3)
    dpo_loss(PairErrors(winner, loser, one, one), 1.0).backward()
    assert (winner.grad > 0).all() and (loser.grad < 0).all()


def test_kto_wants_winners_better_and_losers_worse_than_the_reference():
    errors = torch.tensor([1.0, 1.0], requires_grad=True)
    kto_loss(errors, torch.ones(2), torch.tensor([True, False]), 2.0).backward()
    assert errors.grad[0] > 0 > errors.grad[1]


def test_group_loss_weighs_changes_by_advantage_and_ignores_equal_scores():
    errors, reference = torch.tensor([[0.5, 1.0], [0.0, 2.0]]), torch.ones(2, 2)
    scores = torch.tensor([[1.0, 0.0], [3.0, 3.0]])
    advantage = 0.5 / np.std([1.0, 0.0], ddof=1)
    found = group_loss(errors, reference, scores, 2.0)
    assert found.item() == pytest.approx(2.0 * advantage * -0.5 / 4)


def test_safeguard_keeps_the_value_and_cuts_the_losers_gradient_where_it_harms():
    loser = torch.tensor([1.0, 1.0, 1.0], requires_grad=True)
    winner_residual = torch.tensor([[1.0, 0.0]] * 3)
    loser_residual = torch.tensor([[2.0, 0.0], [-1.0, 0.0], [0.1, 0.0]])
    held = safeguard(loser, winner_residual, loser_residual, 0.5)
    torch.testing.assert_close(held, loser)
    held.sum().backward()
    torch.testing.assert_close(loser.grad, torch.tensor([0.25, 1.0, 1.0]))


def test_beta_matches_the_spread_of_margins():
    generator = torch.Generator().manual_seed(0)
    winner, loser = torch.randn((2, 4000), generator=generator)
    beta = matched_beta(winner, loser, 0.7)
    assert (0.5 * beta * (winner - loser)).std().item() == pytest.approx(0.7, rel=1e-4)


def test_masked_entries_do_not_dilute_the_mean():
    mask = torch.tensor([[True, True], [True, False]])
    squares = torch.tensor([[[3.0, 3.0], [3.0, 99.0]]])
    assert masked_mean(squares, mask).tolist() == [3.0]


def test_error_weights_turn_sample_errors_into_those_of_the_noise():
    scheduler = make_scheduler(DIFFUSION)
    generator = torch.Generator().manual_seed(0)
    clean, noise, wrong = torch.randn((3, 1, 1, 4, 3), generator=generator)
    timesteps, mask = torch.tensor([[40]]), torch.ones(4, 3, dtype=torch.bool)
    noisy = add_noise(scheduler, clean, noise, timesteps, mask)
    alpha = scheduler.alphas_cumprod[40].sqrt()
    implied = (noisy - alpha * wrong) / (1 - alpha**2).sqrt()
    ratio = (implied - noise).square().mean() / (wrong - clean).square().mean()
    torch.testing.assert_close(error_weights(scheduler, timesteps, "epsilon")[0, 0], ratio)
    assert error_weights(scheduler, timesteps, "sample").item() == 1


def test_timesteps_come_in_mirrored_halves():
    config = DIFFUSION.model_copy(update={"least_timestep": 30})
    found = antithetic_timesteps((4, 3), config, torch.Generator().manual_seed(0)).flatten()
    assert (found[:6] + found[6:] == 129).all() and found.min() >= 30 and found.max() < 100


def test_features_are_read_at_u_then_v():
    """A map that grows to the right tells u, one that grows downwards tells v."""
    ramp = (torch.arange(8) + 0.5) / 8 * 2 - 1
    features = torch.stack([ramp.expand(8, 8), ramp[:, None].expand(8, 8)])[None]
    places = torch.tensor([[[0.5, -0.25], [-0.3, 0.6]]])
    torch.testing.assert_close(sample_at(features, places), places, atol=1e-5, rtol=0)


def test_detection_finds_a_peak_and_is_least_there():
    heat = torch.zeros(1, 1, 8, 8)
    heat[0, 0, 1, 6] = 30.0
    place, peak = soft_argmax(heat)
    torch.testing.assert_close(
        place[0, 0], torch.tensor([13 / 8 - 1, 3 / 8 - 1]), atol=1e-3, rtol=0
    )
    assert peak.item() == pytest.approx(0, abs=1e-3)
    near = detection_loss(heat / 5, place)
    assert near < detection_loss(heat / 5, -place)
    assert detection_loss(heat, torch.full((1, 1, 2), 3.0)) == 0


def test_joints_see_joints_within_so_many_bones():
    distance = skeleton_distance()
    assert distance[20, 21] == 8  # wrist, elbow, shoulder, collar, chest and down again
    assert (distance == distance.T).all() and (distance.diagonal() == 0).all()
    mask = attention_mask(list(range(24)), 1, 1)
    assert mask.shape == (25, 25) and mask[24].all() and mask[:, 24].all()
    assert mask[0, 3] and not mask[0, 6]


def test_ranknet_is_least_for_the_right_order_and_soft_among_equals():
    errors = torch.tensor([[[0, 0, 10.0, 0], [0, 0, 20.0, 0], [0, 0, 80.0, 0]]])
    pairs = ranked_pairs(3, 0, ranking())
    right = ranknet(torch.tensor([[2.0, 1.0, 0.0]]), errors, pairs, ranking())
    wrong = ranknet(torch.tensor([[0.0, 1.0, 2.0]]), errors, pairs, ranking())
    assert right < 0.5 < wrong
    equal = torch.full((1, 3, 4), 30.0)
    even = ranknet(torch.zeros(1, 3), equal, pairs, ranking(soft_mm=10.0))
    assert even.item() == pytest.approx(np.log(2))


def test_samples_and_noisy_truths_are_ranked_among_their_own_kind():
    apart, across = (
        set(zip(*(column.tolist() for column in ranked_pairs(2, 3, given)), strict=True))
        for given in (ranking(across_kinds=False), ranking())
    )
    assert apart == {(0, 1), (2, 3), (2, 4), (3, 4)}
    assert len(across) == 10 and apart < across


def test_ranks_within_pictures_and_regret():
    errors = np.array([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]])
    scores = np.array([[3.0, 2.0, 1.0], [3.0, 2.0, 1.0]])
    np.testing.assert_allclose(within_pictures(scores, errors), [1, -1])
    np.testing.assert_allclose(regret(scores, errors), [0, 2])
    found = over_pictures(np.array([3.0, 2.0, 1.0]), np.array([1.0, 2.0, 9.0]))
    assert found["srcc"] == pytest.approx(1) and found["krcc"] == pytest.approx(1)
    assert 0 < found["plcc"] < 1


def test_baselines_prefer_the_aligned_and_the_central_hypothesis():
    detected = torch.zeros(1, 24, 2)
    places = torch.stack([torch.full((24, 2), 0.5), torch.full((24, 2), 0.1)])[None]
    assert reprojection_score(places, detected).argmax() == 1
    joints = torch.stack([torch.full((24, 3), value) for value in (0.0, 1.1, 2.0)])[None]
    assert consensus_score(joints).argmax() == 1


CLEANING = CleaningConfig(
    seeds=[0],
    threads=1,
    wrong=0.3,
    noise=0.3,
    hypotheses=2,
    keep=[0.8],
    steps=1,
    batch_size=2,
    ema_decay=0.5,
    optimizer=OPTIMIZER,
)


def test_the_known_share_of_labels_becomes_wrong():
    rotations = torch.linalg.qr(torch.randn(40, 24, 3, 3))[0]
    rotations = rotations * torch.det(rotations)[..., None, None]
    bodies = Bodies(rotations, torch.zeros(40, 10), torch.ones(40, 3))
    faulty, wrong = make_wrong(bodies, CLEANING, 0)
    changed = (faulty.rotations != bodies.rotations).flatten(1).any(1).numpy()
    assert wrong.sum() == 12 and np.array_equal(changed, wrong)
    torch.testing.assert_close(torch.det(faulty.rotations), torch.ones(40, 24), atol=1e-4, rtol=0)


def test_cleaning_keeps_the_best_scored_and_counts_what_it_removes():
    scores = np.array([0.1, 5.0, 3.0, -1.0, 2.0])
    kept = kept_rows(best_first(scores), 0.6)
    assert kept.tolist() == [1, 2, 4]
    assert precision(kept, np.array([True, False, False, False, True])) == 0.5
    assert sorted(random_order(5, 0)) == [0, 1, 2, 3, 4]
    assert not np.array_equal(random_order(50, 0), random_order(50, 1))
