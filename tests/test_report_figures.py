"""Figures: what they show, the same bytes twice, faults."""

import numpy as np
import pandas as pd
import pytest

from poseloop.report.figure_difficulty import draw_difficulty, quantile_bins
from poseloop.report.figure_diversity import draw_diversity
from poseloop.report.figure_qualitative import draw_qualitative, hardest, view_indices
from poseloop.report.figure_skeletons import draw_skeletons, paint
from poseloop.report.figure_training import draw_training, read_logs
from poseloop.report.style import new_figure, save
from poseloop.runtime.errors import UserError

METHODS = {"base": "base", "drpose": "DrPose"}


def test_the_same_drawing_gives_the_same_bytes(tmp_path):
    def draw(folder):
        with new_figure(2, 2) as figure:
            figure.subplots().plot([0, 1], label="line")
        save(figure, [folder / "a.png", folder / "a.pdf"])
        return (folder / "a.png").read_bytes(), (folder / "a.pdf").read_bytes()

    assert draw(tmp_path / "x") == draw(tmp_path / "y")
    with pytest.raises(UserError, match="a.jpg"), new_figure(1, 1) as figure:
        save(figure, [tmp_path / "a.jpg"])


def write_logs(folder):
    paths = []
    for seed in range(2):
        steps = np.arange(1, 41)
        log = pd.DataFrame({"step": steps, "reward": -1 / steps, "kl": 1e-4 * steps})
        log["validation_mse_val_dynamic"] = np.where(steps % 20 == 0, 0.5, np.nan)
        paths.append(folder / "drpose" / f"seed{seed}" / "log.csv")
        paths[-1].parent.mkdir(parents=True)
        log.to_csv(paths[-1], index=False)
    return paths


def test_training_has_a_panel_per_quantity_and_a_line_per_seed(tmp_path):
    figure = draw_training(read_logs(write_logs(tmp_path)), METHODS, 5)
    titles = [axis.get_title() for axis in figure.axes]
    assert titles[:2] == ["reward of training samples", "drift from the base (KL)"]
    assert titles[2] == "validation mse val dynamic"
    assert [len(axis.lines) for axis in figure.axes] == [3, 3, 3]
    assert len(figure.axes[2].lines[0].get_xdata()) == 2


def test_a_log_without_its_columns_is_named(tmp_path):
    path = tmp_path / "drpose" / "seed0" / "log.csv"
    path.parent.mkdir(parents=True)
    path.write_text("step,loss\n1,2\n")
    with pytest.raises(UserError, match="log.csv: lacks the column.* kl, reward"):
        read_logs([path])
    path.write_text("")
    with pytest.raises(UserError, match="log.csv"):
        read_logs([path])


def test_bones_are_painted_by_side():
    maps = np.zeros((23, 4, 4), np.float32)
    maps[3, 0, 0] = 1  # left knee
    maps[4, 1, 1] = 1  # right knee
    picture = paint(maps)
    np.testing.assert_allclose(picture[3, 3], 1)
    left, right = picture[0, 0], picture[1, 1]
    assert left[2] > left[0] and right[0] > right[2]


def test_skeletons_need_arrays_that_belong_together():
    rgb = np.zeros((2, 8, 8, 3), np.uint8)
    maps = np.zeros((2, 23, 4, 4), np.float16)
    assert len(draw_skeletons({"rgb": rgb, "target": maps, "predicted": maps}).axes) == 6
    with pytest.raises(UserError, match="23 bones"):
        draw_skeletons({"rgb": rgb, "target": maps[:, :5], "predicted": maps[:, :5]})


def test_hardest_subjects_come_first():
    error = np.array([[1.0, 5, 3], [1, 5, 9]])
    assert hardest(error, 2).tolist() == [2, 1]


def test_qualitative_shows_the_asked_views_of_every_source():
    azimuths = np.array([0, 45, 90, 180, 270, 315.0])
    assert view_indices(azimuths, [180, 90, -45]) == [3, 2, 5]
    with pytest.raises(UserError, match="no view at"):
        view_indices(azimuths, [60])
    views = {name: np.zeros((3, 6, 8, 8, 3), np.uint8) for name in ("rgb", "normal")}
    for view in range(6):
        views["rgb"][1, view] = view
    benchmark = {"input_rgb": np.zeros((3, 8, 8, 3), np.uint8), "azimuths": azimuths}
    sources = {"base": views, "truth": views}
    figure = draw_qualitative(benchmark, sources, np.array([1, 0]), [90, 180], "title")
    assert len(figure.axes) == 4 * 5
    shown = [int(axis.images[0].get_array().max()) for axis in figure.axes[:5]]
    assert shown == [0, 2, 3, 2, 3]


def test_difficulty_bins_hold_equally_many_subjects():
    values = np.array([3.0, 1, 2, 9, 8, 7, 5])
    parts = quantile_bins(values, 3)
    assert [len(part) for part in parts] == [3, 2, 2]
    assert sorted(values[parts[0]]) == [1, 2, 3]


def test_difficulty_draws_binned_means_of_every_method():
    rng = np.random.default_rng(0)
    distance = rng.uniform(0, 1, 40)
    errors = {"base": 100 * distance + rng.normal(size=(2, 40)), "DrPose": np.full((2, 40), 30.0)}
    figure = draw_difficulty(distance, errors, "judge_mpjpe", 4, 100, rng)
    lines = {c.get_label(): c.lines[0].get_ydata() for c in figure.axes[0].containers}
    assert (np.diff(lines["base"]) > 5).all()
    np.testing.assert_allclose(lines["DrPose"], 30)


def test_diversity_shows_both_ratios():
    content = {
        "distance_bin_edges_m": [0, 0.5, 1.0],
        "distance_density": {"poseset": [1.0, 1.0], "scans": [1.8, 0.2]},
        "ratio": 1.5,
        "published_ratio": 1.73,
        "poses": {"poseset": 1000, "scans": 200},
        "spread_poseset_m": 0.3,
        "spread_scans_m": 0.2,
    }
    bars = draw_diversity(content).axes[1].patches
    assert [bar.get_height() for bar in bars] == [1.5, 1.73]
    with pytest.raises(UserError, match="published_ratio"):
        draw_diversity({k: v for k, v in content.items() if k != "published_ratio"})
