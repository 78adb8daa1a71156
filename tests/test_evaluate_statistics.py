"""Paired bootstrap: sign, coverage, pairing, seeds; pose distance."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from poseloop.evaluate.difficulty import pose_distance
from poseloop.evaluate.statistics import mean_interval, paired_gain


def rng(seed=0):
    return np.random.default_rng(seed)


def test_a_constant_improvement_is_known_exactly():
    baseline = rng().uniform(5, 10, (3, 20))
    gain = paired_gain(0.8 * baseline, baseline, "lower", 500, rng())
    assert (gain.relative, gain.low, gain.high) == pytest.approx((0.2, 0.2, 0.2))
    assert gain.baseline_mean == pytest.approx(baseline.mean())


def test_sign_follows_the_metrics_direction():
    baseline = rng().uniform(5, 10, (2, 20))
    assert paired_gain(baseline + 1, baseline, "higher", 200, rng()).low > 0
    assert paired_gain(baseline + 1, baseline, "lower", 200, rng()).high < 0
    below_zero = paired_gain(-baseline + 1, -baseline, "higher", 200, rng())
    assert below_zero.relative > 0


def test_pairing_removes_what_subjects_share():
    hard = rng().uniform(1, 100, (1, 40))
    better = hard - 1 + 0.1 * rng(1).normal(size=hard.shape)
    assert paired_gain(better, hard, "lower", 500, rng()).low > 0
    shuffled = paired_gain(rng(2).permutation(better, axis=1), hard, "lower", 500, rng())
    assert shuffled.low < 0 < shuffled.high


def test_seeds_that_disagree_widen_the_interval():
    baseline = np.full((4, 50), 10.0)
    noise = rng().normal(size=(4, 50))
    steady = paired_gain(9 + noise, baseline, "lower", 1000, rng())
    spread = np.array([-3, -1, 1, 3.0])[:, None]
    varying = paired_gain(9 + noise + spread, baseline, "lower", 1000, rng())
    assert varying.high - varying.low > 3 * (steady.high - steady.low)


def test_interval_covers_the_truth_about_as_often_as_it_says():
    covered = 0
    for trial in range(200):
        draw = rng(trial)
        subject = draw.normal(10, 1, (1, 60))
        change = draw.normal(0.5, 1, (1, 60))
        gain = paired_gain(subject - change, subject, "lower", 400, draw)
        covered += gain.low <= 0.05 <= gain.high
    assert 0.88 <= covered / 200 <= 0.99


def test_a_baseline_of_zero_has_no_relative_gain():
    assert np.isnan(paired_gain(np.ones((1, 3)), np.zeros((1, 3)), "lower", 10, rng()).relative)


def test_unpaired_values_are_refused():
    with pytest.raises(ValueError, match="unpaired"):
        paired_gain(np.ones((2, 3)), np.ones((2, 4)), "lower", 10, rng())


def test_mean_interval_holds_the_mean():
    mean, low, high = mean_interval(rng().normal(3, 1, 100), 500, rng())
    assert low < mean < high and high - low == pytest.approx(2 * 1.96 / 10, rel=0.3)


def test_pose_distance_ignores_place_and_heading_only():
    pose = rng().normal(size=(1, 24, 3))
    turned = Rotation.from_euler("y", 70, degrees=True).apply(pose[0])[None] + [3.0, 1.0, 2.0]
    assert pose_distance(turned, pose)[0] == pytest.approx(0, abs=1e-6)
    tipped = Rotation.from_euler("x", 70, degrees=True).apply(pose[0])[None]
    assert pose_distance(tipped, pose)[0] > 0.3


def test_pose_distance_is_the_least_over_headings_and_references():
    a, b = rng().normal(size=(2, 24, 3)), rng(1).normal(size=(3, 24, 3))
    a, b = a - a[:, :1], b - b[:, :1]
    turns = Rotation.from_euler("y", np.arange(0, 360, 0.5)[:, None], degrees=True).as_matrix()
    turned = np.einsum("tij,nkj->tnki", turns, b)
    gaps = np.sqrt(((a[:, None, None] - turned[None]) ** 2).sum(-1).mean(-1))
    np.testing.assert_allclose(pose_distance(a, b), gaps.min((1, 2)), rtol=1e-3)
