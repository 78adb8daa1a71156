"""Tables of carving and of the family: who is compared with whom, and who is left out."""

import json
import runpy
import sys

import numpy as np
import pandas as pd
import pytest
from tiny_body import smpl_arrays

from poseloop.evaluate.metrics_files import write_metrics
from poseloop.reconstruct.store import write_carved
from poseloop.report.carving import (
    KINDS,
    METRICS,
    carving_markdown,
    find_runs,
    gather_run,
    make_carving_table,
)
from poseloop.report.config import ReportConfig
from poseloop.report.family import BASE_LABEL, make_cost_table, make_family_table
from poseloop.report.figure_carving import draw_skipped
from poseloop.report.rows import COLUMNS
from poseloop.reward.family.config import FamilyConfig
from poseloop.runtime.config import load_config
from poseloop.runtime.errors import UserError
from poseloop.runtime.files import write_npz

BENCHMARK = "thuman_like"


@pytest.fixture
def config():
    return load_config("config/smoke/report.yaml", ReportConfig)


def write_run(folder, seed, left_out, subjects=6, gain=1.0):
    """Metrics of one run: subject i has the value i + 1 for the hull and less for the others."""
    kept = [i for i in range(subjects) if i not in left_out]
    files = []
    for step, kind in enumerate(KINDS):
        values = [float(i + 1) - gain * step / 10 for i in kept]
        files.append(folder / f"seed{seed}" / f"{kind}.json")
        write_metrics(files[-1], {BENCHMARK: dict.fromkeys(METRICS, values)})
    files.append(folder / f"seed{seed}" / "skipped.json")
    # Every other subject of the benchmark is carved.
    rows = [2 * i for i in range(subjects)]
    told = {
        "subjects": rows,
        "reasons": {
            str(2 * i): f"the view at {90 * i} degrees has an empty mask" for i in left_out
        },
        "starts": {"library": {"tried": len(kept), "chosen": len(kept), "loss": 0.5}},
    }
    files[-1].write_text(json.dumps({BENCHMARK: told}))
    return files


def test_only_subjects_carved_under_every_seed_are_paired(tmp_path):
    files = write_run(tmp_path / "base", 0, [1]) + write_run(tmp_path / "base", 1, [4])
    runs = find_runs(files)
    values = gather_run(runs["base"], "hull", BENCHMARK)["chamfer"]
    np.testing.assert_array_equal(values, [[1, 3, 4, 6]] * 2)


def test_views_of_which_no_subject_was_carved_get_one_row_that_says_so(tmp_path, config):
    files = write_run(tmp_path / "truth", 0, [])
    files += write_run(tmp_path / "base", 0, [0, 1, 2]) + write_run(tmp_path / "base", 1, [3, 4, 5])
    runs = find_runs(files)
    assert gather_run(runs["base"], "hull", BENCHMARK) == {}
    write_metrics(runs["base"][1] / "hull.json", {})
    assert gather_run(runs["base"], "hull", BENCHMARK) == {}
    table = make_carving_table(runs, {"base": "base"}, [BENCHMARK], config)
    [row] = table[table["method"].str.endswith("views of base")].itertuples()
    assert row.n_subjects == 0 and np.isnan(row.mean)
    assert row.note.startswith("6 of 12 subjects left out (a view has an empty mask: 6)")
    assert "6 of 12" in carving_markdown(table)


def test_the_table_compares_with_the_hull_of_the_same_views(tmp_path, config):
    files = write_run(tmp_path / "truth", 0, [])
    files += write_run(tmp_path / "base", 0, [1]) + write_run(tmp_path / "base", 1, [])
    methods = {"base": "base", "drpose": "DrPose"}
    table = make_carving_table(find_runs(files), methods, [BENCHMARK], config)
    assert list(table.columns) == COLUMNS
    assert list(dict.fromkeys(table["method"])) == [
        f"{kind}, {views}"
        for views in ("ground-truth views", "views of base")
        for kind in KINDS.values()
    ]
    row = table[(table["method"] == "carving, views of base") & (table["metric"] == "chamfer")]
    row = row.iloc[0]
    assert row["baseline"] == "hull, views of base"
    assert row["baseline_mean"] - row["mean"] == pytest.approx(0.2)
    assert row["relative_gain"] > 0 and row["ci_low"] > 0
    assert row["note"] == (
        "gain; thuman_like, views of base: 1 of 12 subjects left out (a view has an empty mask: 1)"
    )
    assert (row["n_subjects"], row["n_seeds"]) == (5, 2)
    consistency = table[table["metric"] == "normal_consistency"]
    carved = consistency[consistency["method"] == "carving, views of base"].iloc[0]
    assert carved["relative_gain"] < 0 and carved["note"].startswith("loss")
    body = table[(table["method"] == "fitted body, views of base")].iloc[0]
    assert "start from the library chosen 5 of 5 times (trial loss 0.50)" in body["note"]
    path = tmp_path / "table.csv"
    table.to_csv(path, index=False)
    assert "relative gain over the hull of the same views" in carving_markdown(pd.read_csv(path))


def test_a_methods_carved_meshes_are_compared_with_the_bases_over_shared_subjects(tmp_path, config):
    files = write_run(tmp_path / "base", 0, [1]) + write_run(tmp_path / "drpose", 0, [4], gain=2.0)
    methods = {"base": "base", "drpose": "DrPose"}
    table = make_carving_table(find_runs(files), methods, [BENCHMARK], config)
    row = table[table["method"] == "carving, views of DrPose, against that of base"].iloc[0]
    assert row["baseline"] == "carving, views of base" and row["n_subjects"] == 4
    # Of subjects 0, 2, 3 and 5 the values are 1, 3, 4 and 6, less 0.4 and 0.2.
    assert (row["mean"], row["baseline_mean"]) == (3.1, 3.3)
    assert row["note"] == "gain"


def test_a_figure_of_no_carved_subject_says_so():
    figure = draw_skipped({"base": {0: "empty", 4: "empty"}, "DrPose": {0: "empty"}}, BENCHMARK)
    [text] = figure.axes[0].texts
    assert text.get_text().splitlines() == [
        "no subject was carved from all views",
        "base: 2 of 2 subjects skipped",
        "DrPose: 1 of 1 subjects skipped",
    ]


def test_the_figures_script_draws_views_of_which_nothing_was_carved(tmp_path, monkeypatch):
    files = {name: tmp_path / f"{name}.npz" for name in ("body", BENCHMARK, "views")}
    write_npz(files["body"], smpl_arrays())
    pictures = np.zeros((2, 6, 8, 8, 3), np.uint8)
    write_npz(files[BENCHMARK], {"input_rgb": pictures[:, 0], "azimuths": np.arange(6.0)})
    write_npz(files["views"], {"rgb": pictures, "normal": pictures})
    run = tmp_path / "base" / "seed0"
    write_run(tmp_path / "base", 0, [0, 1], subjects=2)
    write_metrics(run / "hull.json", {})
    write_carved(run / f"{BENCHMARK}.npz", {0: "an empty mask", 2: "an empty mask"})
    argv = ["--evaluate", "config/smoke/evaluate.yaml", "--study", "config/smoke/study.yaml"]
    argv += ["--body", files["body"], "--benchmark", files[BENCHMARK], "--views", files["views"]]
    argv += ["--carved", run / f"{BENCHMARK}.npz", "--metrics", run / "hull.json"]
    argv += ["--config", "config/smoke/report.yaml", "--output", tmp_path / "fig.png"]
    monkeypatch.setattr(sys, "argv", ["fig_carving.py", *map(str, argv)])
    runpy.run_path("scripts/fig_carving.py", run_name="__main__")
    assert (tmp_path / "fig.png").stat().st_size > 0


def test_the_family_is_compared_with_no_post_training(config):
    family = load_config("config/smoke/family.yaml", FamilyConfig)
    rng = np.random.default_rng(0)
    results = {
        (method, BENCHMARK, "chamfer"): rng.uniform(1, 2, (2, 3))
        for method in ["base", *family.arms]
    }
    table = make_family_table(results, family, [BENCHMARK], config, 2)
    assert list(table["method"])[0] == BASE_LABEL
    assert list(table["method"])[1:] == [arm.label for arm in family.arms.values()]
    assert set(table["baseline"].dropna()) == {BASE_LABEL}
    assert table["published"].isna().all()


def test_the_cost_is_what_was_measured(tmp_path):
    family = load_config("config/smoke/family.yaml", FamilyConfig)
    trained = tmp_path / "refl" / "seed1" / "metrics.json"
    trained.parent.mkdir(parents=True)
    trained.write_text('{"samples_seen": 4}')
    timing = tmp_path / "seed1.tsv"
    timing.write_text("s\tmax_rss\tcpu_time\n12.345\t678.9\t11.11\n")
    cost = make_cost_table([trained], [timing], family)
    assert cost.to_dict("records") == [
        {
            "method": "ReFL",
            "seed": 1,
            "samples_seen": 4,
            "wall_clock_s": 12.3,
            "cpu_s": 11.1,
            "peak_memory_mb": 679,
        }
    ]
    timing.write_text("nothing\n")
    with pytest.raises(UserError, match="not a benchmark file"):
        make_cost_table([trained], [timing], family)
