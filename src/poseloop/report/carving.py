"""The table of carving: carved meshes and fitted bodies against the hulls of the same views."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import compress
from pathlib import Path

import numpy as np
import pandas as pd

from poseloop.evaluate.metrics import describe
from poseloop.evaluate.metrics_files import read_metrics
from poseloop.evaluate.statistics import paired_gain
from poseloop.report.config import ReportConfig
from poseloop.report.markdown import LEGEND, to_markdown
from poseloop.report.rows import COLUMNS, gain_columns, metric_columns, value_columns, verdict
from poseloop.report.tables import BASE, TRUTH
from poseloop.runtime.files import read_json
from poseloop.runtime.seeds import numpy_rng

HULL, CARVING = "hull", "carving"
KINDS = {HULL: "hull", "body": "fitted body", CARVING: "carving"}
METRICS = ("chamfer", "p2s", "s2p", "normal_consistency", "f_score", "chamfer_icp")
STARTS = {"library": "start from the library", "estimate": "start from the estimated pose"}
_AT = re.compile(r"the view at [\d.]+ degrees")

Runs = dict[str, list[Path]]
"""Views (`truth` or a method) to the folders of its seeds."""


def find_runs(files: Iterable[Path]) -> Runs:
    """Folders of the metrics files {views}/seed{seed}/{kind}.json, seeds in their order."""
    folders = sorted({Path(file).parent for file in files})
    runs: Runs = {}
    for folder in folders:
        runs.setdefault(folder.parent.name, []).append(folder)
    return runs


def carved_rows(folder: Path, benchmark: str) -> list[int]:
    """Rows of the benchmark that were carved, in the order of the metrics' values."""
    told = read_json(folder / "skipped.json")[benchmark]
    return [row for row in told["subjects"] if str(row) not in told["reasons"]]


def gather_run(
    folders: Sequence[Path], kind: str, benchmark: str, among: Sequence[Path] = ()
) -> dict[str, np.ndarray]:
    """Values (seeds, subjects) per metric, over subjects that were carved under every seed.

    Empty if there is no such subject.

    Parameters
    ----------
    among : folders of other runs
        Under which the subjects must have been carved as well.

    Raises
    ------
    UserError
        A file is missing or is no metrics file.
    """
    carved = [set(carved_rows(folder, benchmark)) for folder in [*folders, *among]]
    shared = set.intersection(*carved)
    if not shared:
        return {}
    values: dict[str, list[list[float]]] = {}
    for folder in folders:
        kept = [row in shared for row in carved_rows(folder, benchmark)]
        table = read_metrics(folder / f"{kind}.json")[benchmark]
        for metric in METRICS:
            values.setdefault(metric, []).append(list(compress(table[metric], kept)))
    return {metric: np.array(rows) for metric, rows in values.items()}


def describe_skipped(folders: Iterable[Path], benchmark: str) -> str:
    """How many subjects of all seeds were left out and why; empty if none was."""
    told = [read_json(folder / "skipped.json")[benchmark] for folder in folders]
    reasons = Counter(_AT.sub("a view", one) for each in told for one in each["reasons"].values())
    if not reasons:
        return ""
    counts = ", ".join(f"{reason}: {count}" for reason, count in sorted(reasons.items()))
    total = sum(len(each["subjects"]) for each in told)
    return f"{reasons.total()} of {total} subjects left out ({counts})"


def describe_starts(folders: Iterable[Path], benchmark: str) -> str:
    """Which start poses the body fits chose, and the loss of the best trials of each kind."""
    words = []
    for folder in folders:
        for kind, told in read_json(folder / "skipped.json")[benchmark]["starts"].items():
            words.append(
                f"{STARTS[kind]} chosen {told['chosen']} of {told['tried']} times "
                f"(trial loss {told['loss']:.2f})"
            )
    return ", ".join(words)


def make_carving_table(
    runs: Runs, methods: Mapping[str, str], benchmarks: Iterable[str], config: ReportConfig
) -> pd.DataFrame:
    """One tidy table in the shape of all tables; the baseline is the hull of the same views.

    Carved meshes of a method's views are compared with those of the base's views as well, in rows
    of their own.

    Parameters
    ----------
    runs : Runs
        From `find_runs`.
    methods : mapping
        Name in paths to name in tables.
    """
    labels = {TRUTH: "ground-truth views"} | {
        name: f"views of {label}" for name, label in methods.items()
    }
    rows = []
    for benchmark in benchmarks:
        for views, folders in sorted(runs.items(), key=lambda run: list(labels).index(run[0])):
            found = {kind: gather_run(folders, kind, benchmark) for kind in KINDS}
            skipped = describe_skipped(folders, benchmark)
            if not found[HULL]:
                rows.append(_empty_row(benchmark, labels[views], skipped, len(folders)))
                continue
            # Said once for each benchmark and source of views.
            remarks = {
                (METRICS[0], "body"): describe_starts(folders, benchmark),
                (METRICS[0], CARVING): skipped,
            }
            where = f"{benchmark}, {labels[views]}: "
            for metric in METRICS:
                for kind in KINDS:
                    method, baseline = (f"{KINDS[each]}, {labels[views]}" for each in (kind, HULL))
                    pair = found[kind][metric], None if kind == HULL else found[HULL][metric]
                    row = _row(pair, method, baseline, benchmark, metric, config)
                    if remark := remarks.get((metric, kind)):
                        row["note"] = "; ".join(filter(None, [row["note"], where + remark]))
                    rows.append(row)
            if views not in (TRUTH, BASE) and BASE in runs:
                rows += _against_base(runs, views, benchmark, labels, config)
    return pd.DataFrame(rows, columns=COLUMNS)


def _against_base(
    runs: Runs, views: str, benchmark: str, labels: Mapping[str, str], config: ReportConfig
) -> list[dict[str, object]]:
    """Carved meshes of a method's views against those of the base's, of subjects in both."""
    folders, others = runs[views], runs[BASE]
    values = gather_run(folders, CARVING, benchmark, others)
    baseline = gather_run(others, CARVING, benchmark, folders)
    if not values or len(folders) != len(others):
        return []
    method, other = (f"{KINDS[CARVING]}, {labels[name]}" for name in (views, BASE))
    method = f"{method}, against that of base"
    return [
        _row((values[metric], baseline[metric]), method, other, benchmark, metric, config)
        for metric in METRICS
    ]


def _empty_row(benchmark: str, views: str, skipped: str, seeds: int) -> dict[str, object]:
    """What is left to say where no subject was carved under every seed."""
    metric, method = METRICS[0], f"{KINDS[CARVING]}, {views}"
    return metric_columns(benchmark, metric, describe(metric), method) | {
        "n_subjects": 0,
        "n_seeds": seeds,
        "note": f"{skipped}; none was carved under every seed",
    }


def _row(
    pair: tuple[np.ndarray, np.ndarray | None],
    method: str,
    baseline: str,
    benchmark: str,
    metric: str,
    config: ReportConfig,
) -> dict[str, object]:
    """A method's values (seeds, subjects), and its baseline's if it has one."""
    (values, others), kind = pair, describe(metric)
    row = metric_columns(benchmark, metric, kind, method) | value_columns(values, kind.decimals)
    if others is None:
        return row | {"note": ""}
    rng = numpy_rng(config.seed, "bootstrap", "carving", benchmark, metric)
    gain = paired_gain(values, others, kind.better, config.resamples, rng)
    return row | gain_columns(gain, baseline, kind.decimals) | {"note": verdict(gain)}


def carving_markdown(table: pd.DataFrame) -> str:
    """Markdown form, with a legend that names the baseline."""
    legend = LEGEND.replace("base ", "the hull of the same views ")
    return to_markdown(table).replace(LEGEND, legend)
