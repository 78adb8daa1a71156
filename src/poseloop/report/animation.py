"""The table of the image-animation model and of the check that its frames must pass."""

import numpy as np
import pandas as pd

from poseloop.evaluate.animation import KEYPOINT_ERROR, describe
from poseloop.evaluate.frame_check import Values
from poseloop.evaluate.statistics import paired_gain
from poseloop.report.config import ReportConfig
from poseloop.report.markdown import LEGEND, to_markdown
from poseloop.report.rows import COLUMNS, gain_columns, metric_columns, value_columns, verdict
from poseloop.runtime.seeds import numpy_rng

LABELS = {
    "renderer": "renderer",
    "autoencoder": "renderer, through the autoencoder",
    "reference": "reference repeated",
    "animate": "animate",
    "renderer_accepted": "renderer, accepted frames",
    "accepted": "animate, accepted frames",
}
BASELINES = {
    "held_out": {"animate": "reference"},
    "poseset": {"animate": "renderer", "accepted": "renderer_accepted"},
}
NOTES = {
    "autoencoder": "what the autoencoder alone loses",
    "accepted": "chosen by this very error",
}


def make_animate_table(benchmarks: dict[str, Values], config: ReportConfig) -> pd.DataFrame:
    """One tidy table in the shape of all tables, sequences as subjects.

    Parameters
    ----------
    benchmarks : dict
        `held_out` and `poseset`, as check_frames.py writes them.
    """
    rows = [
        _row(benchmark, metric, method, benchmarks[benchmark], config)
        for benchmark in BASELINES
        for metric in dict.fromkeys(
            name for table in benchmarks[benchmark].values() for name in table
        )
        for method in LABELS
        if metric in benchmarks[benchmark].get(method, {})
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def _row(
    benchmark: str, metric: str, method: str, values: Values, config: ReportConfig
) -> dict[str, object]:
    kind, own = describe(metric), np.array([values[method][metric]])
    notes = [NOTES[method]] if method in NOTES else []
    row = metric_columns(benchmark, metric, kind, LABELS[method])
    row |= value_columns(own, kind.decimals)
    baseline = BASELINES[benchmark].get(method)
    if baseline is not None:
        rng = numpy_rng(config.seed, "bootstrap", "animate", benchmark, metric)
        other = np.array([values[baseline][metric]])
        gain = paired_gain(own, other, kind.better, config.resamples, rng)
        row |= gain_columns(gain, LABELS[baseline], kind.decimals)
        notes.insert(0, verdict(gain))
    return row | {"note": "; ".join(notes)}


def animate_markdown(table: pd.DataFrame) -> str:
    """Markdown form, with a legend that names the baselines and the check."""
    legend = LEGEND.replace(
        "over base ", "over the reference repeated (held_out) and the renderer (poseset) "
    ).replace("subjects and seeds", "sequences")
    error = describe(KEYPOINT_ERROR).label
    return to_markdown(table, describe, f"{legend} {error}: by a network that saw no drawn frame.")
