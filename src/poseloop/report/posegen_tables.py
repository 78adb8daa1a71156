"""PoseGen's tidy tables: methods against no fine-tuning, ablations, the NeRF."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from poseloop.evaluate.average_gain import FORMULA, AverageGain, average_gain
from poseloop.evaluate.estimator_metrics import METRICS
from poseloop.evaluate.statistics import Gain, paired_gain
from poseloop.report.posegen_config import PosegenReportConfig
from poseloop.report.tables import COLUMNS, verdict
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
        Columns `report.tables.COLUMNS`.
    """
    rows = [
        _row(results, method, label, baseline, methods[baseline], estimator, where, metric, config)
        for where in (*sets, indomain)
        for estimator in estimators
        for metric in config.metrics
        for method, label in methods.items()
        if (method, estimator, where, metric) in results
    ]
    for metrics, name in [*(([m], m) for m in config.metrics), (config.headline, "relative_gain")]:
        for method, label in methods.items():
            if method == baseline:
                continue
            shown = [e for e in estimators if (method, e, sets[0], metrics[0]) in results]
            gain = _average(results, method, baseline, shown, sets, metrics, config)
            published = config.published_gain if (method, name) == (main, "relative_gain") else None
            rows.append(
                _average_row(results, name, label, methods[baseline], gain, shown, sets, published)
            )
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
    for rival, rival_label in rivals.items():
        shown = [
            estimator
            for estimator in estimators
            if all(
                (name, estimator, sets[0], config.metrics[0]) in results for name in (method, rival)
            )
        ]
        gain = _average(results, method, rival, shown, sets, config.headline, config)
        rows.append(
            _average_row(results, "relative_gain", label, rival_label, gain, shown, sets, None)
        )
    return pd.DataFrame(rows, columns=COLUMNS)


def plain_row(
    benchmark: str, metric: str, method: str, mean: float, subjects: int, note: str
) -> dict[str, object]:
    """A row without a baseline, as the NeRF's table has them."""
    kind = METRICS[metric]
    return {
        "benchmark": benchmark,
        "metric": metric,
        "unit": kind.unit,
        "better": kind.better,
        "method": method,
        "mean": round(mean, kind.decimals),
        "n_subjects": subjects,
        "n_seeds": 1,
        "note": note,
    }


def _row(
    results: Results,
    method: str,
    label: str,
    baseline: str,
    base_label: str,
    estimator: str,
    where: str,
    metric: str,
    config: PosegenReportConfig,
) -> dict[str, object]:
    values = results[method, estimator, where, metric]
    kind = METRICS[metric]
    row = {
        "benchmark": f"{where}/{estimator}",
        "metric": metric,
        "unit": kind.unit,
        "better": kind.better,
        "method": label,
        "mean": round(float(values.mean()), kind.decimals),
        "n_subjects": values.shape[1],
        "n_seeds": values.shape[0],
        "note": "",
    }
    if method == baseline:
        return row
    rng = numpy_rng(config.seed, "bootstrap", where, estimator, metric)
    base = results[baseline, estimator, where, metric]
    gain = paired_gain(values, base, kind.better, config.resamples, rng)
    return row | {
        "baseline": base_label,
        "baseline_mean": round(gain.baseline_mean, kind.decimals),
        "relative_gain": round(gain.relative, 4),
        "ci_low": round(gain.low, 4),
        "ci_high": round(gain.high, 4),
        "note": verdict(gain),
    }


def _average(
    results: Results,
    method: str,
    baseline: str,
    estimators: Sequence[str],
    sets: Sequence[str],
    metrics: Sequence[str],
    config: PosegenReportConfig,
) -> AverageGain:
    cells = [(w, e, m) for w in sets for e in estimators for m in metrics]
    tables = (
        {cell: results[name, cell[1], cell[0], cell[2]] for cell in cells}
        for name in (method, baseline)
    )
    better = {name: kind.better for name, kind in METRICS.items()}
    rng = numpy_rng(config.seed, "bootstrap", AVERAGE)
    return average_gain(*tables, better, config.resamples, rng)


def _average_row(
    results: Results,
    metric: str,
    label: str,
    base_label: str,
    gain: AverageGain,
    estimators: Sequence[str],
    sets: Sequence[str],
    published: float | None,
) -> dict[str, object]:
    some = next(iter(results.values()))
    said = verdict(Gain(gain.mean, 0.0, gain.mean, gain.low, gain.high))
    return {
        "benchmark": AVERAGE,
        "metric": metric,
        "unit": "%",
        "better": "higher",
        "method": label,
        "mean": round(100 * gain.mean, 2),
        "baseline": base_label,
        "baseline_mean": 0.0,
        "relative_gain": round(gain.mean, 4),
        "ci_low": round(gain.low, 4),
        "ci_high": round(gain.high, 4),
        "n_subjects": some.shape[1] * len(sets),
        "n_seeds": some.shape[0],
        "published": published,
        "note": f"{said}; over {', '.join(estimators)}; {FORMULA}",
    }
