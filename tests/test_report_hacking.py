"""Table and figure of reward hacking: what is compared with the base, and which stop is marked."""

import numpy as np
import pandas as pd
import pytest
from tiny_hacking import smoke, tiny_config

from poseloop.evaluate.hacking.metrics import MEASURES, describe
from poseloop.evaluate.hacking.runs import CHOOSING, pivot, read_runs, rows_of, stops
from poseloop.evaluate.statistics import paired_gain
from poseloop.report.config import ReportConfig
from poseloop.report.family import BASE_LABEL
from poseloop.report.figure_hacking import draw_hacking
from poseloop.report.hacking import ALL_SETS, hacking_markdown, make_hacking_table
from poseloop.report.rows import COLUMNS
from poseloop.runtime.seeds import numpy_rng

SETS = ["val_ordinary", "val_dynamic"]
STEPS = (0, 20, 40)
LABELS = {"held": "held back", "free": "let go"}
# Factors of the base's values at the three steps. Both raise the proxy, which is negative; the
# judge likes the first arm to the end and the second one half of the way.
CURVES = {
    "held": {"proxy_reward": (1, 0.8, 0.6), "judge_mpjpe": (1, 0.8, 0.7)},
    "free": {"proxy_reward": (1, 0.7, 0.3), "judge_mpjpe": (1, 0.9, 1.5)},
}


@pytest.fixture
def config():
    return tiny_config(arms=list(CURVES), choosing=3, reporting=6)


@pytest.fixture
def report():
    return smoke("report", ReportConfig)


@pytest.fixture
def runs(tmp_path):
    rng = np.random.default_rng(0)
    paths = []
    for arm, curves in CURVES.items():
        for seed in (0, 1):
            rows = []
            for name in SETS:
                base = {measure: rng.uniform(1, 2, 9) for measure in MEASURES}
                base["proxy_reward"] *= -1
                base["drift_latents"] *= 0
                for place, step in enumerate(STEPS):
                    table = {
                        measure: values * curves.get(measure, (1, 1, 1))[place]
                        + (0.1 * place if measure == "drift_latents" else 0)
                        for measure, values in base.items()
                    }
                    rows += rows_of(step, name, table, 3)
            path = tmp_path / arm / f"seed{seed}.csv"
            path.parent.mkdir(exist_ok=True)
            pd.DataFrame(rows).to_csv(path, index=False)
            paths.append(path)
    return read_runs(paths)


def row_of(table, **where):
    for column, value in where.items():
        table = table[table[column] == value]
    [row] = table.to_dict("records")
    return row


def test_the_table_tells_gains_at_the_last_step_and_at_the_chosen_stop(runs, config, report):
    chosen = stops(runs, config.stop)
    assert chosen == {"held": 40, "free": 20}
    table = make_hacking_table(runs, chosen, LABELS, config, report)
    assert list(table.columns) == [*COLUMNS, "arm", "stop", "step"]
    assert list(dict.fromkeys(table["benchmark"])) == [*SETS, ALL_SETS]
    free = {"benchmark": "val_dynamic", "arm": "free"}
    last = row_of(table, stop="last", metric="judge_mpjpe", **free)
    assert last["relative_gain"] == pytest.approx(-0.5)
    assert (last["note"], last["step"], last["n_subjects"], last["n_seeds"]) == ("loss", 40, 6, 2)
    assert last["method"] == "let go, last (step 40)" and last["baseline"] == BASE_LABEL
    early = row_of(table, stop="chosen", metric="judge_mpjpe", **free)
    assert early["relative_gain"] == pytest.approx(0.1)
    assert (early["note"], early["step"]) == ("gain", 20)
    proxy = row_of(table, stop="last", metric="proxy_reward", **free)
    assert proxy["relative_gain"] == pytest.approx(0.7) and proxy["note"] == "gain"
    assert row_of(table, stop="last", metric="held_out_reward", **free)["note"] == "no gain"
    drift = row_of(table, stop="last", metric="drift_latents", **free)
    assert np.isnan(drift["relative_gain"]) and drift["mean"] == pytest.approx(0.2)
    pooled = row_of(table, benchmark=ALL_SETS, arm="free", stop="last", metric="judge_mpjpe")
    assert pooled["n_subjects"] == 12
    base = row_of(table, method=BASE_LABEL, benchmark=ALL_SETS, metric="judge_mpjpe")
    assert base["step"] == 0 and np.isnan(base["relative_gain"])


def test_the_interval_is_the_paired_bootstrap_of_reporting_subjects(runs, config, report):
    """Values that differ by subject, so that the interval has a width."""
    rng = np.random.default_rng(1)
    where = (runs["step"] == 40) & (runs["measure"] == "judge_mpjpe")
    runs.loc[where, "value"] *= rng.uniform(0.6, 1.4, where.sum())
    table = make_hacking_table(runs, {"held": 40, "free": 20}, LABELS, config, report)
    row = row_of(table, benchmark="val_dynamic", arm="held", stop="last", metric="judge_mpjpe")
    values, base = (pivot(runs, "held", step, "judge_mpjpe", ["val_dynamic"]) for step in (40, 0))
    assert values.shape == (2, 6)
    stream = numpy_rng(report.seed, "bootstrap", "hacking", "val_dynamic", "judge_mpjpe")
    gain = paired_gain(values, base, "lower", report.resamples, stream)
    assert (row["ci_low"], row["ci_high"]) == (round(gain.low, 4), round(gain.high, 4))
    assert row["ci_low"] < row["relative_gain"] < row["ci_high"]
    # What the choosing subjects show is not in the table.
    runs.loc[runs["part"] == CHOOSING, "value"] *= 100
    again = make_hacking_table(runs, {"held": 40, "free": 20}, LABELS, config, report)
    pd.testing.assert_frame_equal(table, again)


def test_the_markdown_says_how_the_stop_was_chosen(runs, config, report, tmp_path):
    table = make_hacking_table(runs, stops(runs, config.stop), LABELS, config, report)
    table.to_csv(tmp_path / "t.csv", index=False)
    text = hacking_markdown(pd.read_csv(tmp_path / "t.csv"), config)
    assert "| held back, chosen (step 40) |" in text
    assert "Chosen: the earliest step whose MPJPE (judge) is within 1 % of the least" in text
    assert describe("sharpness").label in text
    assert "- drift_latents: no relative gain: the baseline is zero" in text


def test_the_figure_draws_gains_over_the_base_and_marks_the_stop(runs, config, report):
    chosen = stops(runs, config.stop)
    table = make_hacking_table(runs, chosen, LABELS, config, report)
    figure = draw_hacking(runs, chosen, LABELS, table, SETS)
    assert len(figure.axes) == 2 + 6
    panel = figure.axes[0]
    paths = [line for line in panel.lines if len(line.get_xdata()) == 3]
    np.testing.assert_allclose(paths[0].get_xdata(), [0, 20, 40], atol=1e-3)
    np.testing.assert_allclose(paths[0].get_ydata(), [0, 20, 30], atol=1e-3)
    np.testing.assert_allclose(paths[1].get_ydata(), [0, 10, -50], atol=1e-3)
    stars = [line for line in panel.lines if line.get_marker() == "*"]
    assert [round(float(line.get_ydata()[0])) for line in stars] == [30, 10]
    titles = [axis.get_title() for axis in figure.axes]
    assert titles[:2] == ["val ordinary", "val dynamic"]
    drift = figure.axes[titles.index("drift of samples")]
    curves = [line for line in drift.lines if len(line.get_xdata()) == 3]
    np.testing.assert_allclose(curves[0].get_ydata(), [0, 0.1, 0.2])
    assert list(curves[0].get_xdata()) == list(STEPS)
