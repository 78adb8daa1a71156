"""Reward hacking: each measure on a problem with a known answer, and the choice of the stop."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from tiny_hacking import smoke, tiny_config, tiny_instruments, tiny_subjects, write_snapshots
from tiny_models import small_denoiser
from torch import nn

from poseloop.evaluate.config import EvaluateConfig
from poseloop.evaluate.hacking.config import StopConfig, check_hacking
from poseloop.evaluate.hacking.measure import measure_run, sample_subjects
from poseloop.evaluate.hacking.measures import (
    mean_squared,
    noisy_predictions,
    rewards_and_sharpness,
    rms_contrast,
    round_trip,
)
from poseloop.evaluate.hacking.metrics import MEASURES
from poseloop.evaluate.hacking.runs import pivot, read_runs, rows_of, stops
from poseloop.evaluate.hacking.snapshots import read_snapshots
from poseloop.evaluate.hacking.stop import choose_stop
from poseloop.evaluate.hacking.subjects import read_subjects
from poseloop.evaluate.masks import soft_masks
from poseloop.multiview.config import ScheduleConfig
from poseloop.multiview.schedule import make_scheduler
from poseloop.multiview.views import COLOUR, NORMAL, mirror_views, to_uint8
from poseloop.reward.family.config import FamilyConfig, JointReward
from poseloop.runtime.errors import UserError
from poseloop.runtime.files import write_npz
from poseloop.runtime.study import load_study
from poseloop.runtime.weights import write_weights

SHAPE = (3, 6, 2, 4, 2, 2)
CPU = torch.device("cpu")
SCHEDULER = make_scheduler(
    ScheduleConfig(
        train_timesteps=1000, beta_start=0.00085, beta_end=0.012, timestep_spacing="trailing"
    )
)


def randn(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.double)


def norms(latents):
    return latents.flatten(1).norm(dim=1)


def test_sharpness_of_a_quadratic_reward():
    """r = -a/2 |x|^2: a step of rho outwards costs a (rho |x| + rho^2 / 2)."""
    latents, curve, rho = randn(SHAPE), 0.7, 2.0
    rewards, sharpness = rewards_and_sharpness(
        lambda x: -curve / 2 * x.square().flatten(1).sum(1), latents, rho
    )
    torch.testing.assert_close(rewards, -curve / 2 * norms(latents).square())
    torch.testing.assert_close(sharpness, curve * (rho * norms(latents) + rho**2 / 2))


def test_sharpness_of_a_linear_reward_is_its_slope_and_of_a_constant_one_zero():
    latents, slope = randn(SHAPE), randn(SHAPE, seed=1)
    _, sharpness = rewards_and_sharpness(lambda x: (slope * x).flatten(1).sum(1), latents, 0.5)
    torch.testing.assert_close(sharpness, 0.5 * norms(slope))
    _, sharpness = rewards_and_sharpness(lambda x: 0 * x.flatten(1).sum(1), latents, 0.5)
    torch.testing.assert_close(sharpness, torch.zeros(3).double())


class Rounding(nn.Module):
    """A codec whose pictures have steps of `grid`; without it nothing is lost."""

    def __init__(self, grid=None):
        super().__init__()
        self.grid = grid

    def decode(self, latents):
        return latents if self.grid is None else (latents / self.grid).round() * self.grid

    def encode(self, images):
        return images


def test_cycle_error_is_what_the_codec_loses():
    latents = randn(SHAPE)
    pictures, again = round_trip(Rounding(), latents)
    assert pictures.shape == SHAPE
    assert mean_squared(again, latents).tolist() == [0, 0, 0]
    _, again = round_trip(Rounding(0.5), latents)
    expected = (latents - (2 * latents).round() / 2).square().flatten(1).mean(1)
    torch.testing.assert_close(mean_squared(again, latents), expected)
    assert expected.min() > 0


class Shifted(nn.Module):
    def __init__(self, network, shift):
        super().__init__()
        self.network, self.shift = network, shift

    def forward(self, *arguments):
        return self.network(*arguments) + self.shift


def test_equal_networks_have_not_drifted_and_a_shift_is_seen_squared():
    network = small_denoiser()
    clean, noise = torch.randn(2, 6, 2, 4, 16, 16), torch.randn(2, 6, 2, 4, 16, 16)
    image = torch.randn(2, 4, 16, 16)

    def predictions(denoiser):
        return noisy_predictions(denoiser, SCHEDULER, clean, noise, image, [900, 100])

    base = predictions(network)
    assert base.shape == (2, 2, *clean.shape[1:])
    assert mean_squared(predictions(network), base).tolist() == [0, 0]
    drift = mean_squared(predictions(Shifted(network, 0.3)), base)
    torch.testing.assert_close(drift, torch.full((2,), 0.09))


def test_contrast_is_of_the_body_alone():
    rgb = np.full((3, 2, 4, 4, 3), 255, np.uint8)
    mask = np.zeros((3, 2, 4, 4), np.float32)
    mask[:2, :, 1:3] = 0.8
    rgb[0, 0, 1:3] = 0
    rgb[1, :, 1:3] = 90
    # Half of the first body is black and half white, the second is plain, the third is not there.
    np.testing.assert_allclose(rms_contrast(rgb, mask, 0.5), [0.5, 0, 0], atol=1e-6)


STOP = StopConfig(measure="judge_mpjpe", within=0.01, take="earliest")


@pytest.mark.parametrize(
    ("errors", "changes", "step"),
    [
        ({0: 100, 20: 95, 40: 90, 60: 93}, {}, 40),
        ({0: 100, 20: 90.5, 40: 90, 60: 93}, {}, 20),
        ({0: 100, 20: 90.5, 40: 90, 60: 90.9}, {"take": "latest"}, 60),
        ({0: 100, 20: 90.5, 40: 90, 60: 93}, {"within": 0.0}, 40),
        ({0: 90, 20: 95, 40: 100}, {}, 0),
    ],
)
def test_the_stop_is_the_first_step_that_the_judge_cannot_tell_from_the_best(errors, changes, step):
    assert choose_stop(errors, STOP.model_copy(update=changes)) == step


def write_run(path, curves, subjects=4, choosing=2):
    """A run's file: per set and step a value of every subject; all measures have the same."""
    rows = []
    for name, curve in curves.items():
        for step, value in curve.items():
            values = np.broadcast_to(value, subjects)
            rows += rows_of(step, name, dict.fromkeys(MEASURES, values), choosing)
    path.parent.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(rows).to_csv(path, index=False)
    return path


def test_the_stop_is_chosen_by_other_subjects_than_those_of_the_table(tmp_path):
    """The first two subjects like step 1, the others, whose gain is told, step 2."""
    curve = {0: 10.0, 1: [5, 5, 20, 20], 2: [20, 20, 1, 1]}
    runs = read_runs([write_run(tmp_path / "a/seed0.csv", {"val": curve})])
    assert stops(runs, STOP) == {"a": 1}
    np.testing.assert_array_equal(pivot(runs, "a", 1, "judge_mpjpe", ["val"]), [[20, 20]])


def test_sets_count_alike_in_the_choice_and_one_step_serves_all_seeds(tmp_path):
    near = {"x": {0: 10.0, 1: 8.0, 2: 9.0}, "y": {0: 100.0, 1: 99.0, 2: 90.0}}
    paths = [write_run(tmp_path / f"a/seed{seed}.csv", near) for seed in (0, 1)]
    assert stops(read_runs(paths), STOP) == {"a": 2}
    far = {"x": {0: 10.0, 1: 8.0, 2: 99.0}, "y": near["y"]}
    write_run(paths[1], far)
    assert stops(read_runs(paths), STOP) == {"a": 1}


def test_files_of_runs_must_belong_together(tmp_path):
    curve = {"val": {0: 1.0, 1: 2.0}}
    first = write_run(tmp_path / "a/seed0.csv", curve)
    other = write_run(tmp_path / "a/seed1.csv", {"val": {0: 1.0, 2: 2.0}})
    with pytest.raises(UserError, match="seed1.csv: steps, subjects or measures differ"):
        read_runs([first, other])
    write_run(other, {"val": {0: 1.0, 1: float("nan")}})
    with pytest.raises(UserError, match="seed1.csv: holds a value that is not a finite number"):
        read_runs([first, other])
    other.write_text("step,set\n1,val\n")
    with pytest.raises(UserError, match="seed1.csv: lacks the column.* part, subject"):
        read_runs([first, other])


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("sets", ["val_dynamic", "mixamo_like"], "sets: mixamo_like not among val_ordinary, val"),
        ("arms", ["drtune", "nope"], "arms: nope not among "),
        ("arms", ["by_joints"], "arms: by_joints not among "),
    ],
)
def test_a_benchmark_or_an_arm_without_posescore_is_named(field, value, message):
    study, family = load_study("smoke"), smoke("family", FamilyConfig)
    by_joints = family.arms["drtune"].model_copy(update={"reward": JointReward(kind="joints")})
    family = family.model_copy(update={"arms": family.arms | {"by_joints": by_joints}})
    check_hacking("hacking.yaml", tiny_config(), study, family)
    with pytest.raises(UserError, match=f"^hacking.yaml: {message}"):
        check_hacking("hacking.yaml", tiny_config(**{field: value}), study, family)


def test_subjects_come_from_the_validation_latents_alone(tmp_path):
    subjects = tiny_subjects(4)
    held_out = subjects.latents
    path = tmp_path / "val_dynamic.npz"
    write_npz(path, subjects.truth)
    read = read_subjects(path, held_out, 3)
    torch.testing.assert_close(read.latents.latents, held_out.latents[:3])
    np.testing.assert_array_equal(read.truth["rgb"], subjects.truth["rgb"][:3])
    with pytest.raises(UserError, match="has 4 subjects, 5 are asked for"):
        read_subjects(path, held_out, 5)
    benchmark = tmp_path / "mixamo_like.npz"
    write_npz(benchmark, subjects.truth)
    with pytest.raises(UserError, match="no subject of the group.* mixamo_like"):
        read_subjects(benchmark, held_out, 3)


def test_noise_depends_on_set_draw_and_subject_and_not_on_their_number():
    few, many = (tiny_subjects(count).noise(0, 1) for count in (2, 3))
    torch.testing.assert_close(few, many[:2])
    assert (many[0] != many[1]).all()
    assert (tiny_subjects(2).noise(0, 0) != few).all()
    assert (tiny_subjects(2, "val_ordinary").noise(0, 1) != few).all()


def test_snapshots_are_the_networks_of_their_steps(tmp_path):
    snapshots = read_snapshots(write_snapshots(tmp_path / "s.safetensors", {10: 1.0, 0: 0.0}))
    assert list(snapshots.states) == [0, 10]
    base, last = (snapshots.load(step, CPU).state_dict() for step in (0, 10))
    for name, tensor in base.items():
        torch.testing.assert_close(last[name], tensor + 1)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["10/weight"], "no weights of step 0, the base"),
        (["0/weight", "weight"], "tensor 'weight' is not named <step>/<parameter name>"),
        (["0/weight", "last/weight"], "tensor 'last/weight' is not named"),
        (["0/weight"], "no configuration of a denoiser"),
    ],
)
def test_a_file_without_snapshots_is_named(tmp_path, names, message):
    path = tmp_path / "s.safetensors"
    write_weights(path, {name: torch.zeros(1) for name in names}, {})
    with pytest.raises(UserError, match=f"s.safetensors: {message}"):
        read_snapshots(path)


def test_weights_of_another_network_are_named(tmp_path):
    path = write_snapshots(tmp_path / "s.safetensors")
    snapshots = read_snapshots(path)
    del snapshots.states[5]["conv_out.weight"]
    with pytest.raises(UserError, match="s.safetensors: weights do not fit"):
        snapshots.load(5, CPU)


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    path = write_snapshots(
        tmp_path_factory.mktemp("run") / "s.safetensors", {0: 0.0, 5: 0.02, 9: 0.0}
    )
    evaluation = smoke("evaluate", EvaluateConfig)

    def measure(**changes):
        return dict(
            measure_run(
                read_snapshots(path),
                tiny_subjects(),
                tiny_instruments(),
                tiny_config(**changes),
                evaluation,
                CPU,
            )
        )

    return measure


def test_every_measure_has_a_value_for_every_subject(measured):
    found = measured()
    assert list(found) == [0, 5, 9]
    for table in found.values():
        assert set(table) == set(MEASURES)
        for name, values in table.items():
            assert values.shape == (3,) and np.isfinite(values).all(), name
    for name in ("drift_latents", "drift_v"):
        assert found[0][name].tolist() == found[9][name].tolist() == [0, 0, 0]
        assert found[5][name].min() > 0
    for name in set(MEASURES) - {"drift_latents", "drift_v"}:
        np.testing.assert_array_equal(found[9][name], found[0][name])
    assert (found[5]["proxy_reward"] != found[0]["proxy_reward"]).all()
    assert (found[0]["held_out_reward"] != found[0]["proxy_reward"]).all()
    assert found[0]["diversity_normal"].min() > 0


def test_batches_do_not_change_what_is_measured(measured):
    whole, apart = (measured(batch_size=size)[5] for size in (3, 1))
    for name in MEASURES:
        np.testing.assert_allclose(apart[name], whole[name], rtol=1e-3, err_msg=name)


def test_cycle_error_and_contrast_are_ratios_to_the_truth(tmp_path):
    """The truth is made the first draw's sample: that draw has 1, the other one what it has."""
    subjects, instruments = tiny_subjects(), tiny_instruments()
    config, evaluation = tiny_config(noises=2), smoke("evaluate", EvaluateConfig)
    snapshots = read_snapshots(write_snapshots(tmp_path / "s.safetensors", {0: 0.0}))
    draws = sample_subjects(snapshots.load(0, CPU), snapshots.config, subjects, config, CPU).latents
    decoded, again = zip(*(round_trip(instruments.codec, draw) for draw in draws), strict=True)
    views = [to_uint8(mirror_views(pictures, [3, 4], view_dim=1)).numpy() for pictures in decoded]
    truth = subjects.truth | {"rgb": views[0][:, :, COLOUR], "normal": views[0][:, :, NORMAL]}
    latents = replace(subjects.latents, latents=draws[0])
    subjects = replace(subjects, latents=latents, truth=truth)
    [(_, table)] = measure_run(snapshots, subjects, instruments, config, evaluation, CPU)

    errors = [mean_squared(*pair).numpy() for pair in zip(again, draws, strict=True)]
    np.testing.assert_allclose(table["cycle_error"], (1 + errors[1] / errors[0]) / 2, rtol=1e-4)
    contrasts = []
    for picture in views:
        rgb, normal = picture[:, 1:, COLOUR], picture[:, 1:, NORMAL]
        contrasts.append(rms_contrast(rgb, soft_masks(rgb, normal, 0.25), 0.5))
    ratio = contrasts[1] / contrasts[0]
    np.testing.assert_allclose(table["contrast"], (1 + ratio) / 2, rtol=1e-5)
    np.testing.assert_allclose(table["contrast_error"], np.abs(ratio - 1) / 2, rtol=1e-4)
