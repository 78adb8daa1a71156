"""PoseGen's tidy tables: methods against no fine-tuning, ablations, the NeRF."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from poseloop.evaluate.average_gain import (
    FORMULA,
    AverageDraws,
    AverageGain,
    average_gain,
    draw_average,
)
from poseloop.evaluate.statistics import Gain, draw_shares, gain_of_draws
from poseloop.report.markdown import LEGEND, to_markdown
from poseloop.report.posegen_config import PosegenReportConfig
from poseloop.report.posegen_metrics import GAIN, HEADLINE, describe
from poseloop.report.rows import COLUMNS, gain_columns, metric_columns, value_columns, verdict
from poseloop.runtime.seeds import numpy_rng

Results = dict[tuple[str, str, str, str], np.ndarray]
"""(method, estimator, set, metric) to (seeds, pictures) values."""
AVERAGE = "average"


def methods_table(
    results: Results,
    methods: Mapping[str, str],
    baseline: str,
    sets: Sequence[str],
    indomain: str,
    estimators: Sequence[str],
    config: PosegenReportConfig,
    main: str,
) -> pd.DataFrame:
    """One row per benchmark `<set>/<estimator>`, metric and method; then the averages.

    An average over some of the estimators is `average/<estimator>`.

    Parameters
    ----------
    results : Results
        Of all methods on the estimators that they ran on.
    methods : mapping
        Name to label, in the order of rows; the baseline among them.
    sets : sequence
        Shifted test sets; the averages are over these.
    indomain : str
        Set on which forgetting is measured; it is in no average.
    main : str
        Method beside whose average the paper's stands.

    Returns
    -------
    DataFrame
        Columns `report.rows.COLUMNS`.
    """
    rows = [
        row
        for where in (*sets, indomain)
        for estimator in estimators
        for metric in config.metrics
        for row in _rows_of_cell(results, methods, baseline, estimator, where, metric, config)
    ]
    draws = _draw_average(results, sets, config)
    averages = []
    kinds = {f"{metric}{GAIN}": [metric] for metric in config.metrics}
    for name, metrics in (kinds | {HEADLINE: config.headline}).items():
        for method, label in methods.items():
            if method == baseline:
                continue
            shown = [e for e in estimators if (method, e, sets[0], metrics[0]) in results]
            gain = _average(results, method, baseline, shown, sets, metrics, draws)
            published = config.published_gain if (method, name) == (main, HEADLINE) else None
            where = _benchmark(AVERAGE, shown, estimators)
            row = _average_row(results, where, name, label, methods[baseline], gain, sets)
            averages.append(row | {"published": published})
    rows += sorted(averages, key=lambda row: row["benchmark"])
    return pd.DataFrame(rows, columns=COLUMNS)


def against(
    results: Results,
    method: str,
    rivals: Mapping[str, str],
    label: str,
    sets: Sequence[str],
    estimators: Sequence[str],
    config: PosegenReportConfig,
) -> pd.DataFrame:
    """Mean relative gain of `method` over each rival, on the estimators that both ran on."""
    rows = []
    draws = _draw_average(results, sets, config)
    for rival, rival_label in rivals.items():
        shown = [
            estimator
            for estimator in estimators
            if all(
                (name, estimator, sets[0], config.metrics[0]) in results for name in (method, rival)
            )
        ]
        gain = _average(results, method, rival, shown, sets, config.headline, draws)
        where = _benchmark(f"{AVERAGE}, against {rival_label}", shown, estimators)
        rows.append(_average_row(results, where, HEADLINE, label, rival_label, gain, sets))
    return pd.DataFrame(rows, columns=COLUMNS)


def plain_row(
    benchmark: str, metric: str, method: str, values: Sequence[float]
) -> dict[str, object]:
    """A row without a baseline, as the NeRF's table has them."""
    kind = describe(metric)
    row = metric_columns(benchmark, metric, kind, method)
    return row | value_columns(np.array([values]), kind.decimals)


def _rows_of_cell(
    results: Results,
    methods: Mapping[str, str],
    baseline: str,
    estimator: str,
    where: str,
    metric: str,
    config: PosegenReportConfig,
) -> list[dict[str, object]]:
    """A row for every method that ran on the estimator; one set of draws serves all."""
    kind = describe(metric)
    base = results[baseline, estimator, where, metric]
    rng = numpy_rng(config.seed, "bootstrap", where, estimator, metric)
    draws = draw_shares(base.shape, config.resamples, rng)
    rows = []
    for method, label in methods.items():
        if (method, estimator, where, metric) not in results:
            continue
        values = results[method, estimator, where, metric]
        row = metric_columns(f"{where}/{estimator}", metric, kind, label)
        row |= value_columns(values, kind.decimals) | {"note": ""}
        if method != baseline:
            gain = gain_of_draws(values, base, kind.better, draws)
            row |= gain_columns(gain, methods[baseline], kind.decimals) | {"note": verdict(gain)}
        rows.append(row)
    return rows


def _draw_average(
    results: Results, sets: Sequence[str], config: PosegenReportConfig
) -> AverageDraws:
    """The draws that all averages share."""
    shapes = {where: values.shape for (_, _, where, _), values in results.items() if where in sets}
    pictures = {where: shape[1] for where, shape in shapes.items()}
    seeds = next(iter(shapes.values()))[0]
    rng = numpy_rng(config.seed, "bootstrap", AVERAGE)
    return draw_average(pictures, seeds, config.resamples, rng)


def _average(
    results: Results,
    method: str,
    baseline: str,
    estimators: Sequence[str],
    sets: Sequence[str],
    metrics: Sequence[str],
    draws: AverageDraws,
) -> AverageGain:
    cells = [(w, e, m) for w in sets for e in estimators for m in metrics]
    tables = (
        {cell: results[name, cell[1], cell[0], cell[2]] for cell in cells}
        for name in (method, baseline)
    )
    better = {metric: describe(metric).better for metric in metrics}
    return average_gain(*tables, better, draws)


def _benchmark(name: str, shown: Sequence[str], estimators: Sequence[str]) -> str:
    """Name of an average, with the estimators that it is over if these are not all."""
    return name if list(shown) == list(estimators) else f"{name}/{'+'.join(shown)}"


def _average_row(
    results: Results,
    benchmark: str,
    metric: str,
    label: str,
    base_label: str,
    gain: AverageGain,
    sets: Sequence[str],
) -> dict[str, object]:
    some, kind = next(iter(results.values())), describe(metric)
    as_gain = Gain(gain.mean, 0.0, gain.mean, gain.low, gain.high)
    row = metric_columns(benchmark, metric, kind, label)
    row |= gain_columns(as_gain, base_label, kind.decimals)
    return row | {
        "mean": round(100 * gain.mean, kind.decimals),
        "n_subjects": some.shape[1] * len(sets),
        "n_seeds": some.shape[0],
        "note": verdict(as_gain),
    }


def posegen_markdown(table: pd.DataFrame) -> str:
    """Markdown form, with how the averages are taken if there are any."""
    if table["relative_gain"].isna().all():
        return to_markdown(table, describe, "Means over as many values as the CSV's n_subjects.")
    legend = LEGEND.replace(
        "over base ", "over the first method, or over the one that the row names, "
    ).replace("subjects and seeds", "pictures and seeds")
    return to_markdown(table, describe, f"{legend} Averages: {FORMULA}.")
