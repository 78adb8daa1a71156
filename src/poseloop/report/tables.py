"""Tidy tables from metrics files: one row per benchmark, metric and method."""

from collections.abc import Iterable, Mapping
from fnmatch import fnmatch
from pathlib import Path

import numpy as np
import pandas as pd

from poseloop.evaluate.metrics import describe
from poseloop.evaluate.metrics_files import read_metrics
from poseloop.evaluate.statistics import Gain, paired_gain
from poseloop.report.config import ReportConfig
from poseloop.report.rows import COLUMNS, gain_columns, metric_columns, value_columns, verdict
from poseloop.runtime.errors import UserError
from poseloop.runtime.seeds import numpy_rng

BASE = "base"
TRUTH = "truth"

Results = dict[tuple[str, str, str], np.ndarray]
"""(method, benchmark, metric) to (seeds, subjects) values."""


def gather(paths: Iterable[Path]) -> Results:
    """Values of every method from metrics/{method}/seed{seed}.json, seeds in their order.

    Raises
    ------
    UserError
        A file is no metrics file, two seeds of a method differ in subjects or metrics, or the
        methods have different seeds.
    """
    found: dict[tuple[str, str, str], list[list[float]]] = {}
    files: dict[str, list[str]] = {}
    for path in sorted(map(Path, paths)):
        method = path.parent.name
        files.setdefault(method, []).append(path.stem)
        for benchmark, table in read_metrics(path).items():
            for metric, values in table.items():
                rows = found.setdefault((method, benchmark, metric), [])
                rows.append(values)
                if len(rows) != len(files[method]) or len(values) != len(rows[0]):
                    raise UserError(f"{path}: {benchmark} {metric} differs from the other seeds")
    for method, stems in files.items():
        if stems != next(iter(files.values())):
            raise UserError(f"metrics of {method}: seeds {stems} are not those of the others")
    return {key: np.array(rows) for key, rows in found.items()}


def gather_truth(path: Path) -> Results:
    """Values of the protocol on true pictures, as the method `truth`."""
    return {
        (TRUTH, benchmark, metric): np.array([values])
        for benchmark, table in read_metrics(path).items()
        for metric, values in table.items()
    }


def make_table(
    name: str,
    results: Results,
    methods: Mapping[str, str],
    benchmarks: Iterable[str],
    config: ReportConfig,
    n_seeds: int,
    baseline: str = BASE,
) -> pd.DataFrame:
    """One tidy table.

    Parameters
    ----------
    name : str
        Key of `config.tables`.
    results : Results
        Of all methods, the baseline among them, and of `truth`.
    methods : mapping
        Name in paths to name in tables, in the order of rows.
    benchmarks : iterable of str
        In the order of rows.
    n_seeds : int
        Seeds behind each method.
    baseline : str
        Name in paths of the method that all others are compared with.

    Returns
    -------
    DataFrame
        Columns `COLUMNS`; values rounded to the precision at which they are printed. A method's
        `relative_gain` over the baseline is positive where it is better. `note` says "gain" or
        "loss" where the interval is clear of zero, else "no gain".

    Raises
    ------
    UserError
        The methods' seeds or subjects cannot be paired.
    """
    labels = {**methods, TRUTH: "ground truth"}
    rows = [
        _row(results, labels, method, baseline, benchmark, metric, config, n_seeds)
        for benchmark in benchmarks
        for metric in _metrics(config.tables[name], results, benchmark)
        for method in labels
        if (method, benchmark, metric) in results
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def _metrics(patterns: list[str], results: Results, benchmark: str) -> list[str]:
    names = sorted({metric for _, where, metric in results if where == benchmark})
    return [name for pattern in patterns for name in names if fnmatch(name, pattern)]


def _row(
    results: Results,
    labels: Mapping[str, str],
    method: str,
    baseline: str,
    benchmark: str,
    metric: str,
    config: ReportConfig,
    n_seeds: int,
) -> dict[str, object]:
    values = results[method, benchmark, metric]
    kind = describe(metric)
    published, remark = _published(config, method, benchmark, metric)
    notes = [config.notes.get(metric), remark]
    row = metric_columns(benchmark, metric, kind, labels[method])
    row |= value_columns(values, kind.decimals)
    row |= {"n_seeds": 1 if method == TRUTH else n_seeds, "published": published}
    if method == TRUTH:
        notes.insert(0, "the protocol on true pictures")
    elif method != baseline:
        gain = _gain(results, method, baseline, benchmark, metric, config)
        row |= gain_columns(gain, labels[baseline], kind.decimals)
        notes.insert(0, verdict(gain))
    return row | {"note": "; ".join(note for note in notes if note)}


def _gain(
    results: Results,
    method: str,
    baseline: str,
    benchmark: str,
    metric: str,
    config: ReportConfig,
) -> Gain:
    values = results[method, benchmark, metric]
    others = results.get((baseline, benchmark, metric))
    if others is None or others.shape != values.shape:
        raise UserError(
            f"metrics of {method} on {benchmark}: {metric} has no values of the same seeds and "
            f"subjects for {baseline}"
        )
    rng = numpy_rng(config.seed, "bootstrap", benchmark, metric)
    return paired_gain(values, others, describe(metric).better, config.resamples, rng)


def _published(
    config: ReportConfig, method: str, benchmark: str, metric: str
) -> tuple[float | None, str | None]:
    """The paper's value beside ours, and what to know about it."""
    if method == TRUTH:
        return None, None
    for entry in config.published:
        if (entry.benchmark, entry.metric) != (benchmark, metric):
            continue
        if method == BASE:
            return entry.base, f"published: {entry.note}"
        better = {"higher": 1, "lower": -1}[describe(metric).better]
        gain = 100 * better * (entry.tuned - entry.base) / entry.base
        return entry.tuned, f"published: {entry.note}, relative gain {gain:.1f} %"
    return None, None
