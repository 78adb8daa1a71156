"""Tidy tables of the ADHMR loop: methods, ranking of hypotheses, cleaning."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from fnmatch import fnmatch

import numpy as np
import pandas as pd

from poseloop.evaluate.statistics import Draws, draw_shares, gain_of_draws
from poseloop.report.hmr_config import HmrReportConfig, MethodTable
from poseloop.report.hmr_metrics import describe
from poseloop.report.rows import COLUMNS, gain_columns, metric_columns, value_columns, verdict
from poseloop.runtime.errors import UserError
from poseloop.runtime.seeds import numpy_rng

Results = Mapping[tuple[str, str, str], np.ndarray]
"""(method, benchmark, metric) to (seeds, pictures) values."""

_CORRELATION = "within_"
_ORACLE = "oracle: the best hypothesis is known only with the truth"


def stack_seeds(files: Mapping[str, list[dict]]) -> Results:
    """Values of methods from the contents of their seeds' files, benchmark to metric to values.

    Raises
    ------
    UserError
        The seeds of a method differ in benchmarks, metrics or pictures.
    """
    results = {}
    for method, contents in files.items():
        for benchmark, table in contents[0].items():
            for metric in table:
                try:
                    values = np.array([content[benchmark][metric] for content in contents])
                except (KeyError, ValueError) as fault:
                    raise UserError(
                        f"values of {method}: {benchmark} {metric} differs between seeds"
                    ) from fault
                results[method, benchmark, metric] = values
    return results


class Rows:
    """Rows of one table.

    Parameters
    ----------
    results : Results
    labels : mapping
        Name of a method to its name in the table.
    """

    def __init__(
        self, results: Results, labels: Mapping[str, str], config: HmrReportConfig
    ) -> None:
        self.results, self.labels, self.config = results, labels, config
        self.rows: list[dict[str, object]] = []
        self._drawn: dict[tuple[str, str, tuple[int, ...]], Draws] = {}

    def add(
        self,
        method: str,
        benchmark: str,
        metric: str,
        baseline: str | None = None,
        described: str | None = None,
    ) -> None:
        """Add a row; with a baseline it holds the paired gain over it.

        Parameters
        ----------
        described : name under which the metric is described, if that differs

        Raises
        ------
        UserError
            Method and baseline cannot be paired.
        """
        values = self.results[method, benchmark, metric]
        kind = describe(described or metric)
        notes = [_ORACLE] if "_min_" in metric else []
        row = metric_columns(benchmark, metric, kind, self.labels.get(method, method))
        row |= value_columns(values, kind.decimals)
        if baseline is not None and values.shape[1] > 1:
            held = self.results[baseline, benchmark, metric]
            if held.shape != values.shape:
                raise UserError(
                    f"values of {method} and {baseline} on {benchmark}: {metric} cannot be paired"
                )
            pair = values, held
            if metric.startswith(_CORRELATION):
                # A correlation may be zero or negative, so its gain is a difference.
                pair = 1 + values - held, np.ones_like(held)
                notes.append("gain as a difference")
            draws = self._draws(benchmark, metric, values.shape)
            gain = gain_of_draws(*pair, kind.better, draws)
            # What is printed is the baseline's own mean, of a difference too.
            gain = replace(gain, baseline_mean=float(held.mean()))
            row |= gain_columns(gain, self.labels.get(baseline, baseline), kind.decimals)
            notes.insert(0, verdict(gain))
        published, remark = self._published(method, benchmark, metric)
        notes += [remark] if remark else []
        self.rows.append(row | {"published": published, "note": "; ".join(notes)})

    def add_peers(self, benchmark: str, metrics: Iterable[str]) -> None:
        """Rows of methods that only a paper has measured: a published value and no mean of ours."""
        for entry in self.config.published:
            if entry.benchmark != benchmark or entry.metric not in metrics:
                continue
            if entry.method in self.labels:
                continue
            kind = describe(entry.metric)
            row = metric_columns(benchmark, entry.metric, kind, entry.method)
            note = f"published, another scale: {entry.note}"
            self.rows.append(row | {"published": entry.value, "note": note})

    def table(self) -> pd.DataFrame:
        """The rows with columns `COLUMNS`."""
        frame = pd.DataFrame(self.rows, columns=COLUMNS)
        counts = ["n_subjects", "n_seeds"]
        frame[counts] = frame[counts].astype("Int64")
        return frame

    def _draws(self, benchmark: str, metric: str, shape: tuple[int, int]) -> Draws:
        """The draws of a metric, the same for all methods; only the last are kept."""
        key = benchmark, metric, shape
        if key not in self._drawn:
            rng = numpy_rng(self.config.seed, "bootstrap", benchmark, metric)
            self._drawn = {key: draw_shares(shape, self.config.resamples, rng)}
        return self._drawn[key]

    def _published(
        self, method: str, benchmark: str, metric: str
    ) -> tuple[float | None, str | None]:
        for entry in self.config.published:
            if (entry.benchmark, entry.metric, entry.method) == (benchmark, metric, method):
                return entry.value, f"published, another scale: {entry.note}"
        return None, None


def method_table(
    rows: Rows, table: MethodTable, benchmarks: Iterable[str], peers: bool
) -> pd.DataFrame:
    """Methods against the first of them; a method without a metric (a regressor) has no row."""
    first = table.methods[0]
    for benchmark in benchmarks:
        names = [
            name for method, where, name in rows.results if (method, where) == (first, benchmark)
        ]
        chosen = [name for pattern in table.metrics for name in names if fnmatch(name, pattern)]
        for metric in dict.fromkeys(chosen):
            for method in table.methods:
                if (method, benchmark, metric) in rows.results:
                    rows.add(method, benchmark, metric, None if method == first else first)
        if peers:
            rows.add_peers(benchmark, chosen)
    return rows.table()


def ranking_table(rows: Rows, patterns: list[str], benchmarks: Iterable[str]) -> pd.DataFrame:
    """The scorer against each baseline, then the baselines by themselves."""
    for benchmark in benchmarks:
        names = [
            name for method, where, name in rows.results if (method, where) == ("scorer", benchmark)
        ]
        chosen = [name for pattern in patterns for name in names if fnmatch(name, pattern)]
        for metric in dict.fromkeys(chosen):
            for baseline in ("reprojection", "consensus"):
                rows.add("scorer", benchmark, metric, baseline)
            for baseline in ("reprojection", "consensus"):
                rows.add(baseline, benchmark, metric)
    return rows.table()


def cleaning_table(rows: Rows, benchmarks: Iterable[str], keep: Iterable[float]) -> pd.DataFrame:
    """Retraining on what the scorer keeps, against as many labels at random and against all."""
    shares = [round(100 * share) for share in keep]
    for share in shares:
        for method in (f"scorer_{share}", f"random_{share}"):
            rows.add(method, "labels", "precision")
    for benchmark in benchmarks:
        for metric in ("mpjpe", "pa_mpjpe"):
            rows.add("all", benchmark, metric)
            for share in shares:
                rows.add(f"random_{share}", benchmark, metric, "all")
                rows.add(f"scorer_{share}", benchmark, metric, f"random_{share}")
                rows.add(f"scorer_{share}", benchmark, metric, "all")
            rows.add("right", benchmark, metric, "all")
    return rows.table()


def printable(table: pd.DataFrame) -> pd.DataFrame:
    """The rows that were measured here, for the wide forms, one for each method and metric.

    A method that is held to several baselines is a method for each of them.
    """
    shown = table[table["mean"].notna()].copy()
    keys = ["benchmark", "metric", "method"]
    several = shown.duplicated(keys, keep=False) & shown["baseline"].notna()
    named = shown["method"] + ", against " + shown["baseline"].fillna("")
    shown["method"] = shown["method"].where(~several, named)
    return shown
