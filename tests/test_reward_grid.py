"""What the arms of the family and of the ablations may differ in."""

import numpy as np
import pandas as pd
import pytest
import torch
from pydantic import ValidationError
from torch import nn

from poseloop.report.config import ReportConfig
from poseloop.report.family import BASE_LABEL, make_family_table
from poseloop.report.figure_family import draw_costs, draw_gains
from poseloop.reward.config import DistanceConfig, PoseScoreConfig
from poseloop.reward.family.config import FamilyConfig, JointReward, MapReward
from poseloop.reward.family.reward import make_reward
from poseloop.reward.family.snapshots import Snapshots
from poseloop.reward.family.training import usable_poses
from poseloop.reward.jointscore import JointScore, soft_argmax
from poseloop.reward.perceptual import PerceptualDistance
from poseloop.reward.posescore import PoseScore
from poseloop.runtime.config import load_config
from poseloop.runtime.errors import UserError

CHANNELS, SIDE = 4, 8
ALL = [["normal", "colour"], ["normal"], ["colour"]]


@pytest.fixture(scope="module")
def config():
    return load_config("config/smoke/posescore.yaml", PoseScoreConfig)


@pytest.fixture
def posescore(config):
    torch.manual_seed(0)
    return PoseScore(config, CHANNELS, SIDE, [3, 4]).eval().requires_grad_(False)


@pytest.fixture
def subjects():
    generator = torch.Generator().manual_seed(1)
    latents = torch.randn((2, 6, 2, CHANNELS, SIDE, SIDE), generator=generator)
    joints = 0.2 * torch.randn((2, 24, 3), generator=generator)
    return latents, joints


def map_reward(**changes):
    return MapReward(
        **{"kind": "maps", "distance": {"dice": 1.0}, "perceptual": 0.0, "readings": ALL} | changes
    )


def test_the_common_reward_is_posescore_under_its_distance(posescore, subjects):
    reward = make_reward(map_reward(), posescore, None)(*subjects)
    torch.testing.assert_close(reward, posescore(*subjects, DistanceConfig(dice=1.0)))


@pytest.mark.parametrize("name, hidden", [("normal", 1), ("colour", 0)])
def test_a_reward_that_reads_one_modality_is_blind_to_the_other(posescore, subjects, name, hidden):
    reward = make_reward(map_reward(readings=[[name]]), posescore, None)
    latents, joints = subjects
    before = reward(latents, joints)
    latents[:, :, hidden] += 1.0
    torch.testing.assert_close(reward(latents, joints), before)
    latents[:, :, 1 - hidden] += 1.0
    assert (reward(latents, joints) != before).all()


def test_a_reading_that_posescore_never_learnt_is_refused(config, subjects):
    blind = PoseScore(config.model_copy(update={"readings": [["normal"]]}), CHANNELS, SIDE, [])
    with pytest.raises(UserError, match=r"\['colour'\] is not among"):
        make_reward(map_reward(readings=[["colour"]]), blind, None)


def test_the_perceptual_term_adds_to_the_reward_and_has_a_gradient(posescore, subjects):
    latents, joints = subjects
    plain = make_reward(map_reward(), posescore, None)(latents, joints)
    latents.requires_grad_()
    reward = make_reward(map_reward(perceptual=2.0), posescore, None)(latents, joints)
    assert (reward < plain).all()
    reward.sum().backward()
    assert latents.grad.abs().max() > 0


def test_the_perceptual_distance_grows_with_the_shift_of_a_bar():
    def bar(column):
        maps = torch.zeros(1, 1, 1, 32, 32)
        maps[..., 8:24, column : column + 3] = 1.0
        return maps

    distance = PerceptualDistance()
    values = [float(distance(bar(10 + shift), bar(10))) for shift in range(5)]
    assert values[0] == 0.0
    assert values == sorted(values) and len(set(values)) == 5
    torch.testing.assert_close(PerceptualDistance()(bar(3), bar(9)), distance(bar(3), bar(9)))


def test_soft_argmax_finds_the_pixel_in_image_coordinates():
    logits = torch.full((2, 8, 8), -50.0)
    logits[0, 0, 7] = logits[1, 6, 1] = 50.0
    expected = torch.tensor([[0.4375, 0.4375], [-0.3125, -0.3125]])
    torch.testing.assert_close(soft_argmax(logits), expected)


def test_jointscore_is_zero_on_true_joints_and_mirrors_its_targets(config):
    jointscore = JointScore(config, CHANNELS, SIDE, [3])
    joints = torch.zeros(1, 24, 3)
    joints[:, 5, 0] = 0.25
    targets = jointscore.targets(joints)
    plain = JointScore(config, CHANNELS, SIDE, []).targets(joints)
    torch.testing.assert_close(targets[:, 3, :, 0], -plain[:, 3, :, 0])
    torch.testing.assert_close(targets[:, 0], plain[:, 0])

    size = config.skeleton.size
    column, row = int((0.25 + 0.5) * size), size // 2

    class Oracle(nn.Module):
        def forward(self, latents):
            maps = torch.full((*latents.shape[:2], 24, size, size), -60.0)
            maps[..., row, column] = 60.0
            return maps

    front = JointScore(config.model_copy(update={"azimuths": [0.0]}), CHANNELS, SIDE, [])
    front.predictor = Oracle()
    at_pixel = torch.tensor([(column + 0.5) / size - 0.5, 0.5 - (row + 0.5) / size, 0.0])
    latents = torch.zeros(1, 1, 2, CHANNELS, SIDE, SIDE)
    reward = front(latents, at_pixel.expand(1, 24, 3))
    assert -0.02 < float(reward) <= 0.0
    moved = front(latents, (at_pixel + torch.tensor([0.1, 0.0, 0.0])).expand(1, 24, 3))
    assert float(moved) == pytest.approx(-1.0, abs=0.01)


def test_a_reward_on_joints_is_jointscore(config, posescore, subjects):
    jointscore = JointScore(config, CHANNELS, SIDE, [3, 4]).eval()
    assert make_reward(JointReward(kind="joints"), posescore, jointscore) is jointscore
    assert jointscore(*subjects).shape == (2,)


def test_a_share_of_the_poses_keeps_the_first_of_each_kind():
    ordinary = torch.tensor([False] * 10 + [True] * 4)
    assert usable_poses(ordinary, 1.0).tolist() == list(range(14))
    assert usable_poses(ordinary, 0.25).tolist() == [0, 1, 2, 10]
    assert usable_poses(torch.ones(5, dtype=torch.bool), 0.5).tolist() == [0, 1, 2]


def test_snapshots_survive_the_process_that_took_them(tmp_path):
    module = nn.Linear(2, 1)
    first = Snapshots(tmp_path)
    first.keep(module)
    before = module.weight.detach().clone()
    resumed = Snapshots(tmp_path)
    with torch.no_grad():
        module.weight.add_(1.0)
    for resumed.step in (20, 100):
        resumed.keep(module)
    kept = resumed.gather()
    assert list(dict.fromkeys(name.split("/")[0] for name in kept)) == ["0", "20", "100"]
    torch.testing.assert_close(kept["0/weight"], before)
    torch.testing.assert_close(kept["100/weight"], before + 1.0)


def test_a_reference_that_is_no_arm_is_an_error():
    config = load_config("config/smoke/ablations.yaml", FamilyConfig)
    with pytest.raises(ValidationError, match="no arm called 'nobody'"):
        FamilyConfig.model_validate(config.model_dump() | {"reference": "nobody"})


def test_ablations_are_compared_with_their_reference():
    family = load_config("config/smoke/ablations.yaml", FamilyConfig)
    report = load_config("config/smoke/report.yaml", ReportConfig)
    rng = np.random.default_rng(0)
    results = {
        (method, "mixamo_like", "chamfer"): rng.uniform(1, 2, (1, 5))
        for method in ["base", *family.arms]
    }
    table = make_family_table(results, family, ["mixamo_like"], report, 1)
    assert table["method"].tolist() == [
        "reference",
        BASE_LABEL,
        *(arm.label for name, arm in family.arms.items() if name != "reference"),
    ]
    assert set(table["baseline"].dropna()) == {"reference"}
    means = dict(zip(table["method"], table["mean"], strict=True))
    assert means["reference"] == pytest.approx(
        results["reference", "mixamo_like", "chamfer"].mean(), abs=0.01
    )
    assert means[BASE_LABEL] == pytest.approx(
        results["base", "mixamo_like", "chamfer"].mean(), abs=0.01
    )
    assert pd.isna(table["relative_gain"].iloc[0])


def test_the_figure_shows_every_arm_and_its_interval(tmp_path):
    family = load_config("config/smoke/ablations.yaml", FamilyConfig)
    report = load_config("config/smoke/report.yaml", ReportConfig)
    rng = np.random.default_rng(0)
    results = {
        (method, where, metric): rng.uniform(1, 2, (1, 5))
        for method in ["base", *family.arms]
        for where in ("mixamo_like", "custom_like")
        for metric in ("chamfer", "judge_mpjpe")
    }
    table = make_family_table(results, family, ["mixamo_like", "custom_like"], report, 1)
    figure = draw_gains(table, ["chamfer", "judge_mpjpe"])
    panel = figure.axes[0]
    labels = [tick.get_text() for tick in panel.get_yticklabels()]
    assert labels == list(dict.fromkeys(table["method"]))[1:]
    chamfer = table[(table["metric"] == "chamfer") & (table["benchmark"] == "mixamo_like")]
    drawn = panel.containers[0].lines[0].get_xdata()
    np.testing.assert_allclose(drawn, 100 * chamfer["relative_gain"].dropna())


def test_a_curve_ends_at_the_time_the_run_took():
    log = pd.DataFrame({"step": [0, 1, 2], "reward": [-0.5, np.nan, -0.4]})
    cost = pd.DataFrame({"method": ["ours"], "cpu_s": [30.0], "peak_memory_mb": [900]})
    figure = draw_costs({"ours": log}, cost, "reward", 2)
    np.testing.assert_allclose(figure.axes[0].lines[0].get_xdata(), [0.0, 30.0])
    np.testing.assert_allclose(figure.axes[1].lines[0].get_ydata(), [-0.4])
