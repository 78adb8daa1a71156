"""Metrics of estimators, the mean gain over cells, tables and figures."""

import numpy as np
import pandas as pd
import pytest
import roma
import torch

from poseloop.evaluate.average_gain import FORMULA, average_gain, draw_average
from poseloop.evaluate.estimator_metrics import METRICS, joint_metrics, surface_error
from poseloop.evaluate.estimators import gather_errors
from poseloop.report.figure_posegen import draw_coverage, draw_grid, draw_hardness, draw_overlays
from poseloop.report.latex import to_latex
from poseloop.report.posegen_config import PosegenReportConfig
from poseloop.report.posegen_metrics import describe
from poseloop.report.posegen_tables import (
    against,
    methods_table,
    plain_row,
    posegen_markdown,
)
from poseloop.report.rows import COLUMNS
from poseloop.runtime.config import load_config
from poseloop.runtime.errors import UserError
from poseloop.runtime.files import write_npz

SETS = ["clips", "views"]
ESTIMATORS = ["regression", "kinematic"]
METHODS = {"base": "no fine-tuning", "prior": "random", "posegen": "PoseGen"}


@pytest.fixture
def config() -> PosegenReportConfig:
    return load_config("config/smoke/posegen_report.yaml", PosegenReportConfig)


def test_joint_metrics_are_what_they_are_called():
    truth = torch.randn(2, 24, 3)
    joints = truth.clone()
    joints[0] += 5.0  # a shift of all joints is no error
    joints[1, 3] += torch.tensor([0.3, 0, 0])
    values = joint_metrics(joints, truth)
    assert values["mpjpe"] == pytest.approx([0, 300 / 23], abs=1e-3)
    assert values["pck150"] == pytest.approx([100, 100 * 22 / 23])
    assert values["auc"][0] == pytest.approx(100, abs=4)
    turned = truth @ roma.random_rotmat(2).mT * 1.3
    assert joint_metrics(turned, truth)["pa_mpjpe"] == pytest.approx([0, 0], abs=1e-3)
    assert joint_metrics(turned, truth)["mpjpe"].min() > 10
    surface = torch.randn(3, 7, 3)
    assert surface_error(surface + torch.tensor([0, 0.01, 0]), surface) == pytest.approx([10] * 3)


def cells(factor: float, seed: int = 0, noise: float = 0.0) -> dict:
    rng = np.random.default_rng(seed)
    base = {(w, e, "mpjpe"): rng.uniform(80, 120, (1, 30)) for w in SETS for e in ESTIMATORS}
    extra = np.random.default_rng(seed + 1)
    return {
        cell: np.repeat(table, 5, 0) * factor + noise * extra.normal(size=(5, 30))
        for cell, table in base.items()
    }


def test_average_gain_is_the_mean_of_relative_gains():
    better = {"mpjpe": "lower"}
    draws = draw_average(dict.fromkeys(SETS, 30), 5, 500, np.random.default_rng(0))
    gain = average_gain(cells(0.9), cells(1.0), better, draws)
    assert gain.mean == pytest.approx(0.1)
    assert gain.low == pytest.approx(0.1)
    noisy = average_gain(cells(1.0, noise=20.0), cells(1.0), better, draws)
    assert noisy.low < 0 < noisy.high
    with pytest.raises(ValueError, match="different cells"):
        average_gain({}, cells(1.0), better, draws)
    other = draw_average(dict.fromkeys(SETS, 30), 4, 10, np.random.default_rng(0))
    with pytest.raises(ValueError, match=r"unpaired values: \[4, 5\]"):
        average_gain(cells(0.9), cells(1.0), better, other)


def test_averages_draw_whole_seeds_and_whole_sets():
    draws = draw_average({"b": 7, "a": 30}, 5, 100, np.random.default_rng(0))
    assert draws.seeds.shape == (100, 5) and draws.pictures["b"].shape == (100, 7)
    assert draws.seeds.sum(1) == pytest.approx(1) and draws.pictures["a"].sum(1) == pytest.approx(1)
    # The order in which sets are named is no part of the draw.
    again = draw_average({"a": 30, "b": 7}, 5, 100, np.random.default_rng(0))
    assert (again.pictures["b"] == draws.pictures["b"]).all()


def results() -> dict:
    factors = {"base": 1.0, "prior": 0.97, "posegen": 0.9}
    rng = np.random.default_rng(0)
    tables = {}
    for where in (*SETS, "indomain"):
        for estimator in ESTIMATORS:
            for metric in ("mpjpe", "pa_mpjpe", "pve", "pck150", "auc"):
                base = rng.uniform(50, 60, (1, 20))
                for method, factor in factors.items():
                    if method == "prior" and estimator == "kinematic":
                        continue
                    f = factor if METRICS[metric].better == "lower" else 1 / factor
                    tables[method, estimator, where, metric] = np.repeat(base * f, 3, 0)
    return tables


def test_table_has_a_row_per_cell_and_the_average_with_its_formula(config):
    table = methods_table(
        results(), METHODS, "base", SETS, "indomain", ESTIMATORS, config, "posegen"
    )
    assert list(table.columns) == COLUMNS
    row = table.query("benchmark == 'views/kinematic' and metric == 'pck150'").set_index("method")
    assert row.loc["PoseGen", "relative_gain"] == pytest.approx(1 / 0.9 - 1, abs=1e-4)
    assert row.loc["PoseGen", "note"] == "gain"
    assert "random" not in row.index
    average = table.query("metric == 'relative_gain'").set_index("method")
    assert dict(average["benchmark"]) == {"random": "average/regression", "PoseGen": "average"}
    assert average.loc["PoseGen", "relative_gain"] == pytest.approx(0.1, abs=1e-4)
    assert average.loc["PoseGen", "published"] == config.published_gain


def test_printed_forms_have_a_column_per_method_and_the_formula_once(config):
    table = methods_table(
        results(), METHODS, "base", SETS, "indomain", ESTIMATORS, config, "posegen"
    )
    rivals = against(results(), "posegen", {"prior": "random"}, "PoseGen", SETS, ESTIMATORS, config)
    shown = posegen_markdown(pd.concat([table, rivals]))
    assert "| benchmark | metric | unit | no fine-tuning | random | PoseGen | published |" in shown
    # A gain in an error is no error: it is in percent, and more of it is better.
    gain = "10.00 (+10.0 % [+10.0, +10.0]) *"
    assert f"| average | mean relative gain in MPJPE ↑ | % |  |  | {gain} |  |" in shown
    assert "| average, against random/regression | mean relative gain ↑ | % |  |  | 7.2" in shown
    assert shown.count(FORMULA) == 1
    assert r"average & mean relative gain $\uparrow$ & \% &  &  & 10.00 (+10.0 \%" in to_latex(
        table, describe
    )
    with pytest.raises(KeyError):
        describe("speed")


def test_rivals_are_compared_on_what_both_ran_on(config):
    table = against(results(), "posegen", {"prior": "random"}, "PoseGen", SETS, ESTIMATORS, config)
    [row] = table.to_dict("records")
    assert row["baseline"] == "random"
    assert row["benchmark"] == "average, against random/regression"
    assert row["relative_gain"] == pytest.approx(1 - 0.9 / 0.97, abs=1e-4)


def test_error_files_that_do_not_fit_are_named(tmp_path):
    write_npz(tmp_path / "regression.npz", {"base/clips/mpjpe": np.ones((2, 3))})
    found = gather_errors([tmp_path / "regression.npz"])
    assert found["base", "regression", "clips", "mpjpe"].shape == (2, 3)
    write_npz(tmp_path / "bad.npz", {"base/clips/mpjpe": np.full((2, 3), np.nan)})
    with pytest.raises(UserError, match="bad.npz: base/clips/mpjpe"):
        gather_errors([tmp_path / "bad.npz"])


def test_plain_rows_have_the_metrics_unit():
    row = plain_row("held-out view", "psnr", "fast", [25.0, 25.2468])
    assert pd.DataFrame([row], columns=COLUMNS).loc[0, "unit"] == "dB"
    assert (row["mean"], row["n_subjects"], row["n_seeds"]) == (25.12, 2, 1)


def test_figures_show_what_they_are_given():
    rgb = np.zeros((3, 8, 8, 3), np.uint8)
    assert len(draw_grid({"a": rgb, "b": rgb[:2]}, "title").axes) == 6
    rng = np.random.default_rng(0)
    rounds = {"a": [rng.uniform(1, 2, 50), rng.uniform(2, 3, 50)]}
    texts = draw_hardness(rounds, 8).axes[0].get_legend().get_texts()
    assert [text.get_text()[:7] for text in texts] == ["round 1", "round 2"]
    joints = {"ordinary": rng.normal(size=(9, 24, 3)), "PoseGen": rng.normal(size=(5, 24, 3))}
    views = {name: rng.normal(size=(len(value), 4)) for name, value in joints.items()}
    left, right = draw_coverage(joints, views).axes
    assert [len(part.get_offsets()) for part in left.collections] == [9, 5]
    assert np.allclose(right.collections[1].get_offsets(), views["PoseGen"][:, 1:3])
    figure = draw_overlays(rgb, {"before": np.zeros((3, 24, 2))}, ["clips"] * 3)
    assert [len(axis.lines) for axis in figure.axes] == [23, 23, 23]
