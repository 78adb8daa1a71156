"""Tidy tables: shape, sign, verdict, published values, renderings, faults, the script."""

import json
import runpy
import sys

import numpy as np
import pandas as pd
import pytest

from poseloop.evaluate.metrics_files import write_metrics
from poseloop.report.config import ReportConfig
from poseloop.report.latex import escape, to_latex
from poseloop.report.markdown import to_markdown
from poseloop.report.rows import COLUMNS
from poseloop.report.tables import gather, gather_truth, make_table
from poseloop.runtime.config import load_config
from poseloop.runtime.errors import UserError

METHODS = {"base": "base", "drpose": "DrPose"}
CONFIG = load_config("config/demo/report.yaml", ReportConfig).model_copy(update={"resamples": 300})


def write_run(folder, gain=0.8, seeds=(0, 1), subjects=20):
    """Metrics of two methods; DrPose's Chamfer is `gain` times the base's, PSNR equal but noisy."""
    rng = np.random.default_rng(0)
    paths = []
    for seed in seeds:
        chamfer, psnr = rng.uniform(4, 9, subjects), rng.uniform(15, 20, subjects)
        change = rng.normal(0, 1, subjects)
        change -= change.mean()
        for method, factor, shift in (("base", 1, 0), ("drpose", gain, change)):
            paths.append(folder / method / f"seed{seed}.json")
            table = {"chamfer": chamfer * factor, "psnr": psnr + shift, "posescore": -psnr}
            table["psnr_view090"] = psnr
            write_metrics(paths[-1], {"thuman_like": {k: list(v) for k, v in table.items()}})
    truth = folder / "truth.json"
    write_metrics(truth, {"thuman_like": {"chamfer": [1.0] * subjects}})
    return paths, truth


def table_of(folder, name, **options):
    paths, truth = write_run(folder, **options)
    results = gather(paths) | gather_truth(truth)
    return make_table(name, results, METHODS, ["thuman_like"], CONFIG, 2)


def test_geometry_has_the_agreed_shape_and_a_known_gain(tmp_path):
    table = table_of(tmp_path, "geometry")
    assert list(table.columns) == COLUMNS
    assert list(table["method"]) == ["base", "DrPose", "ground truth"]
    base, tuned, truth = table.to_dict("records")
    assert (tuned["relative_gain"], tuned["ci_low"], tuned["ci_high"]) == (0.2, 0.2, 0.2)
    assert tuned["baseline"] == "base" and tuned["baseline_mean"] == base["mean"]
    assert (tuned["n_subjects"], tuned["n_seeds"], truth["n_seeds"]) == (20, 2, 1)
    assert (base["published"], tuned["published"]) == (52.96, 42.05)
    assert tuned["note"].startswith("gain; published: THuman2.1, unit not stated")
    assert "relative gain 20.6 %" in tuned["note"]
    assert pd.isna(base["relative_gain"]) and "gain" not in base["note"]
    assert pd.isna(truth["published"])


def test_a_loss_and_an_open_question_are_called_so(tmp_path):
    worse = table_of(tmp_path / "a", "geometry", gain=1.1).iloc[1]
    assert worse["relative_gain"] == -0.1 and worse["note"].startswith("loss")
    psnr = table_of(tmp_path / "b", "appearance").iloc[1]
    assert psnr["ci_low"] <= 0 <= psnr["ci_high"] and psnr["note"].startswith("no gain")


def test_the_training_signal_is_marked(tmp_path):
    notes = table_of(tmp_path, "pose")["note"]
    assert notes.str.contains("the training signal").all()


def test_the_same_files_give_the_same_table(tmp_path):
    pd.testing.assert_frame_equal(
        table_of(tmp_path, "appearance"), table_of(tmp_path, "appearance")
    )


def test_renderings_hold_the_numbers_and_leave_single_views_to_the_csv(tmp_path):
    table = table_of(tmp_path, "appearance")
    assert "psnr_view090" in set(table["metric"])
    text = to_markdown(table)
    assert "PSNR ↑" in text and "view at 90" not in text and "18.39 → 20.86" in text
    geometry = table_of(tmp_path, "geometry")
    assert "(+20.0 % [+20.0, +20.0]) *" in to_markdown(geometry)
    latex = to_latex(geometry)
    assert r"thuman\_like & Chamfer $\downarrow$ & cm" in latex
    assert latex.count(r"\midrule") == 1 and latex.strip().endswith(r"\end{tabular}")


def test_latex_escapes():
    assert escape("5 % of a_b & c") == r"5 \% of a\_b \& c"


def test_methods_with_other_seeds_or_subjects_are_refused(tmp_path):
    paths, _ = write_run(tmp_path)
    with pytest.raises(UserError, match="seeds"):
        gather(paths[:-1])
    write_metrics(paths[-1], {"thuman_like": {"chamfer": [1.0]}})
    with pytest.raises(UserError, match="seed1.json: thuman_like chamfer differs"):
        gather(paths)


def test_script_writes_all_forms_and_refuses_an_unknown_table(tmp_path, monkeypatch, capsys):
    paths, truth = write_run(tmp_path / "metrics")
    output = tmp_path / "drpose_geometry.csv"
    argv = ["tables.py", "--config", "config/smoke/report.yaml"]
    argv += ["--study", "config/demo/study.yaml", "--truth", str(truth), "--metrics"]
    summary = tmp_path / "drpose_summary.json"
    argv += [*map(str, paths), "--summary", str(summary), "--output"]
    monkeypatch.setattr(sys, "argv", [*argv, str(output)])
    runpy.run_path("scripts/tables.py", run_name="__main__")
    printed = pd.read_csv(output)
    assert list(printed.columns) == COLUMNS and len(printed) == 3
    assert output.with_suffix(".md").is_file() and output.with_suffix(".tex").is_file()
    means = json.loads(summary.read_text())["geometry"]["thuman_like"]["chamfer"]
    assert means == dict(zip(printed.method, printed["mean"], strict=True))
    monkeypatch.setattr(sys, "argv", [*argv, str(tmp_path / "drpose_speed.csv")])
    with pytest.raises(SystemExit) as stop:
        runpy.run_path("scripts/tables.py", run_name="__main__")
    assert stop.value.code == 2
    assert "drpose_speed.csv" in capsys.readouterr().err
