"""Tables and figures of the ADHMR loop, and a user's own picture."""

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from tiny_hmr import make_body, make_labels, make_model, make_pictures, scorer_config

from poseloop.hmr import recover as recovery
from poseloop.hmr.dataset import bodies_of
from poseloop.hmr.recover import crop_of_user, recover
from poseloop.hmr.scorer import Scorer
from poseloop.hmr.values import read_values, write_values
from poseloop.report.figure_hmr_min import draw_min_curves
from poseloop.report.figure_hmr_overlays import draw_overlays
from poseloop.report.figure_hmr_scorer import draw_scores
from poseloop.report.figure_hmr_training import draw_dpo_training
from poseloop.report.hmr_config import HmrReportConfig
from poseloop.report.hmr_metrics import describe
from poseloop.report.hmr_tables import (
    Rows,
    cleaning_table,
    method_table,
    ranking_table,
    stack_seeds,
)
from poseloop.report.overlays import overlay, posed_vertices, side_view
from poseloop.report.rows import COLUMNS
from poseloop.report.style import save
from poseloop.runtime.config import load_config
from poseloop.runtime.errors import UserError

COUNT = 30


@pytest.fixture(scope="module")
def config():
    return load_config("config/demo/adhmr_report.yaml", HmrReportConfig).model_copy(
        update={"resamples": 200}
    )


def values(base, seeds=3, noise=0):
    subject = np.random.default_rng(0).normal(base, 10, COUNT)
    rng = np.random.default_rng(noise)
    names = ["mpjpe_min_1", "mpjpe_min_100", "mpjpe_select", "mpjpe_zero", "spread"]
    return [
        {"pw3d_like": {name: (subject + rng.normal(0, 1, COUNT)).tolist() for name in names}}
        for _ in range(seeds)
    ]


@pytest.fixture(scope="module")
def results():
    files = {"base": values(100), "dpo": values(85, noise=2), "sft_pseudo": values(100, noise=1)}
    regressor = [{"pw3d_like": {"mpjpe_zero": [120.0] * COUNT}}] * 3
    return stack_seeds({**files, "regressor_base": regressor})


def test_gain_of_a_method_and_peers_beside_it(config, results):
    labels = {"base": "base", "dpo": "ADHMR", "sft_pseudo": "SFT", "regressor_base": "regressor"}
    rows = Rows(results, labels, config)
    table = method_table(rows, config.tables["main"], ["pw3d_like"], peers=True)
    assert list(table.columns) == COLUMNS
    by = table.set_index(["metric", "method"])
    gain = by.loc[("mpjpe_min_100", "ADHMR")]
    assert gain["ci_low"] > 0.05 and gain["relative_gain"] == pytest.approx(0.15, abs=0.03)
    assert gain["published"] == 57.2 and gain["note"].startswith("gain; oracle")
    assert by.loc[("mpjpe_min_100", "SFT")]["note"].startswith("no gain")
    assert pd.isna(by.loc[("mpjpe_min_100", "base")]["relative_gain"])
    assert by.loc[("mpjpe_zero", "regressor")]["relative_gain"] < 0
    assert ("mpjpe_min_100", "regressor") not in by.index
    peer = by.loc[("mpjpe_min_100", "HuManiFlow")]
    assert peer["published"] == 65.1 and pd.isna(peer["mean"])


def test_values_that_cannot_be_paired_are_named(config):
    files = {"base": values(100, seeds=2), "dpo": values(90)}
    rows = Rows(stack_seeds(files), {}, config)
    with pytest.raises(UserError, match="values of dpo and base on pw3d_like"):
        rows.add("dpo", "pw3d_like", "mpjpe_zero", "base")
    uneven = values(100)
    del uneven[1]["pw3d_like"]["spread"]
    with pytest.raises(UserError, match="values of base: pw3d_like spread"):
        stack_seeds({"base": uneven})


def test_ranking_table_has_the_scorer_against_each_baseline(config):
    rng = np.random.default_rng(0)
    made = {
        ranker: [
            {
                "wild": {
                    "within_mpjpe": (level + rng.normal(0, 0.1, COUNT)).tolist(),
                    "srcc_mpjpe": [level],
                }
            }
        ]
        for ranker, level in {"scorer": 0.5, "reprojection": 0.2, "consensus": 0.3}.items()
    }
    rows = Rows(stack_seeds(made), {"scorer": "HMR-Scorer"}, config)
    table = ranking_table(rows, config.ranking, ["wild"])
    own = table[(table["method"] == "HMR-Scorer") & (table["metric"] == "within_mpjpe")]
    assert own["baseline"].tolist() == ["reprojection", "consensus"]
    assert (own["ci_low"] > 0).all()
    # Differences, because a baseline's correlation may be zero.
    np.testing.assert_allclose(own["relative_gain"], [0.3, 0.2], atol=0.06)
    assert table[table["metric"] == "srcc_mpjpe"]["relative_gain"].isna().all()


def test_cleaning_table_compares_with_chance_and_with_all(config):
    rng = np.random.default_rng(0)
    level = {"all": 110.0, "right": 95.0, "scorer_80": 100.0, "random_80": 112.0}
    made = {
        name: [
            {
                **({"labels": {"precision": [0.9]}} if "_" in name else {}),
                "pw3d_like": {
                    metric: (value + rng.normal(0, 1, COUNT)).tolist()
                    for metric in ("mpjpe", "pa_mpjpe")
                },
            }
            for _ in range(2)
        ]
        for name, value in level.items()
    }
    table = cleaning_table(Rows(stack_seeds(made), {}, config), ["pw3d_like"], [0.8])
    best = table[(table["method"] == "scorer_80") & (table["metric"] == "mpjpe")]
    assert best["baseline"].tolist() == ["random_80", "all"] and (best["ci_low"] > 0).all()
    assert (table["metric"] == "precision").sum() == 2


def test_every_metric_is_described():
    for name in ("mpjpe_min_25", "pa_mpjpe_select", "pve_mean", "within_pa_pve", "precision"):
        assert describe(name).label
    assert describe("within_pa_pve").better == "higher" and describe("pve_mean").unit == "mm"
    with pytest.raises(KeyError):
        describe("mpjpe_of_someone")


def test_values_that_are_no_numbers_are_refused(tmp_path):
    path = tmp_path / "v.json"
    write_values(path, {"a": {"b": [1.23456789]}})
    assert read_values(path) == {"a": {"b": [1.23457]}}
    path.write_text('{"a": {"b": [NaN]}}')
    with pytest.raises(UserError, match="v.json: b has no values or one that is not"):
        read_values(path)


def test_figures_are_drawn_with_their_content(config, results, tmp_path):
    rng = np.random.default_rng(0)
    methods = {"base": "base", "dpo": "ADHMR"}
    curves = draw_min_curves(results, methods, ["pw3d_like"], 100, rng)
    labels = [line.get_label() for line in curves.axes[0].get_lines()]
    assert labels == ["base", "ADHMR"]
    errors = rng.uniform(50, 150, (6, 8))
    scatter = draw_scores({"a_scores": -errors, "a_mpjpe": errors}, ["a"])
    assert "1.00" in scatter.axes[0].get_title()
    columns = ["winner_change", "loser_change", "implicit_accuracy", "drift"]
    columns += [f"logit_bin{index}" for index in range(1, 4)]
    log = pd.DataFrame(rng.normal(size=(5, 7)), columns=columns).assign(step=range(5))
    training = draw_dpo_training({"dpo": [log, log.drop(columns="logit_bin3")]}, methods, 2)
    assert len(training.axes) == 8
    never = [axis.get_title() for axis in training.axes if not axis.axison]
    assert never == ["logit, timesteps 0.00T to 0.25T"]
    for name, figure in (("a", curves), ("b", scatter), ("c", training)):
        save(figure, [tmp_path / f"{name}.png"])
        assert (tmp_path / f"{name}.png").stat().st_size > 5000


@pytest.fixture(scope="module")
def body(tmp_path_factory):
    return make_body(tmp_path_factory.mktemp("body"))


def test_an_overlay_draws_the_body_where_its_joints_project(body):
    bodies, picture = bodies_of(make_labels(1)), np.zeros((32, 32, 3), np.uint8)
    intrinsics = torch.from_numpy(make_pictures(1).intrinsics[0])
    vertices = posed_vertices(body, bodies)[0]
    front = overlay(picture, vertices, bodies.camera[0], intrinsics, body, 64)
    rows, columns = np.nonzero(front.sum(2))
    place = (bodies.camera[0, 1:].numpy() + 1) * 32
    assert abs(columns - place[0]).min() < 4 and abs(rows - place[1]).min() < 4
    assert 0 < len(rows) < 64 * 64
    side = side_view(vertices, body, 64)
    figure = draw_overlays([{"truth": (front, side, None), "best": (front, side, 42.0)}], "t")
    assert figure.axes[2].get_title(loc="left") == "best, 42 mm"


def test_a_users_picture_gives_scored_bodies_best_first(body, tmp_path, monkeypatch):
    monkeypatch.setattr(recovery, "LEAST_CONFIDENCE", 0.0)
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 255, (80, 60, 3), dtype=np.uint8)
    Image.fromarray(picture).save(tmp_path / "photo.png")
    model = make_model(body)
    torch.manual_seed(0)
    scorer = Scorer(scorer_config(), model.config, body).eval()
    crop = crop_of_user(tmp_path / "photo.png", None, None, 32)
    assert crop.image.shape == (1, 32, 32, 3)
    np.testing.assert_allclose(crop.intrinsics, [[2.5, 0, 0]], atol=1e-6)
    found = recover(model, scorer, crop, 7, 0, "photo.png")
    assert found.bodies.rotations.shape == (7, 24, 3, 3)
    assert (found.scores.diff() <= 0).all()
    again = recover(model, scorer, crop, 7, 0, "photo.png")
    torch.testing.assert_close(found.bodies.rotations, again.bodies.rotations)


def test_faulty_pictures_are_named(body, tmp_path):
    path = tmp_path / "photo.png"
    with pytest.raises(UserError, match="photo.png: not a readable picture"):
        crop_of_user(path, None, None, 32)
    path.write_bytes(b"no picture")
    with pytest.raises(UserError, match="photo.png: not a readable picture"):
        crop_of_user(path, None, None, 32)
    Image.new("RGB", (10, 10)).save(path)
    with pytest.raises(UserError, match="photo.png: a person of 10 x 10 pixels is too small"):
        crop_of_user(path, None, None, 32)
    Image.new("RGB", (100, 100)).save(path)
    with pytest.raises(UserError, match="--box reaches out of the picture"):
        crop_of_user(path, (50, 50, 60, 60), None, 32)
    model = make_model(body)
    scorer = Scorer(scorer_config(), model.config, body).eval()
    with pytest.raises(UserError, match="photo.png: nobody found in the crop"):
        recover(model, scorer, crop_of_user(path, None, None, 32), 3, 0, "photo.png")
