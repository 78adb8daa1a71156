"""The table of carving: carved meshes and fitted bodies against the hulls of the same views."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from poseloop.evaluate.metrics import describe
from poseloop.evaluate.metrics_files import read_metrics
from poseloop.evaluate.statistics import paired_gain
from poseloop.report.config import ReportConfig
from poseloop.report.markdown import LEGEND, to_markdown
from poseloop.report.tables import COLUMNS, TRUTH, verdict
from poseloop.runtime.files import read_json
from poseloop.runtime.seeds import numpy_rng

HULL = "hull"
KINDS = {HULL: "hull", "body": "fitted body", "carving": "carving"}
METRICS = ("chamfer", "p2s", "s2p", "normal_consistency", "f_score", "chamfer_icp")
_GAIN_DECIMALS = 4

Runs = dict[str, list[Path]]
"""Views (`truth` or a method) to the folders of its seeds."""


def find_runs(files: Iterable[Path]) -> Runs:
    """Folders of the metrics files {views}/seed{seed}/{kind}.json, seeds in their order."""
    folders = sorted({Path(file).parent for file in files})
    runs: Runs = {}
    for folder in folders:
        runs.setdefault(folder.parent.name, []).append(folder)
    return runs


def gather_run(folders: Sequence[Path], kind: str, benchmark: str) -> dict[str, np.ndarray]:
    """Values (seeds, subjects) per metric, over subjects that were carved under every seed.

    Empty if there is no such subject.

    Raises
    ------
    UserError
        A file is missing or is no metrics file.
    """
    rows: dict[str, list[dict[int, float]]] = {}
    for folder in folders:
        told = read_json(folder / "skipped.json")[benchmark]
        left_out = set(map(int, told["reasons"]))
        index = [i for i in range(told["subjects"]) if i not in left_out]
        for metric, values in read_metrics(folder / f"{kind}.json").get(benchmark, {}).items():
            if metric in METRICS:
                rows.setdefault(metric, []).append(dict(zip(index, values, strict=True)))
    gathered = {}
    for metric, seeds in rows.items():
        shared = sorted(set.intersection(*(set(seed) for seed in seeds)))
        if not shared or len(seeds) < len(folders):
            return {}
        gathered[metric] = np.array([[seed[i] for i in shared] for seed in seeds])
    return gathered


def count_skipped(folders: Iterable[Path], benchmark: str) -> tuple[int, int]:
    """Subjects left out and subjects in all, over seeds."""
    told = [read_json(folder / "skipped.json")[benchmark] for folder in folders]
    return sum(len(one["reasons"]) for one in told), sum(one["subjects"] for one in told)


def make_carving_table(
    runs: Runs, methods: Mapping[str, str], benchmarks: Iterable[str], config: ReportConfig
) -> pd.DataFrame:
    """One tidy table in the shape of all tables; the baseline is the hull of the same views.

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
            skipped, total = count_skipped(folders, benchmark)
            if not found[HULL]:
                rows.append(_empty_row(benchmark, labels[views], skipped, total, len(folders)))
                continue
            for metric in METRICS:
                for kind in KINDS:
                    row = _row(found, kind, benchmark, metric, labels[views], config)
                    told = f"{skipped} of {total} subjects left out"
                    note = "; ".join(filter(None, [row["note"], told if skipped else ""]))
                    rows.append(row | {"n_seeds": len(folders), "note": note})
    return pd.DataFrame(rows, columns=COLUMNS)


def _empty_row(
    benchmark: str, views: str, skipped: int, total: int, seeds: int
) -> dict[str, object]:
    """What is left to say where no subject was carved under every seed."""
    kind = describe(METRICS[0])
    return {
        "benchmark": benchmark,
        "metric": METRICS[0],
        "unit": kind.unit,
        "better": kind.better,
        "method": f"{KINDS['carving']}, {views}",
        "n_subjects": 0,
        "n_seeds": seeds,
        "note": f"{skipped} of {total} subjects left out; none was carved under every seed",
    }


def _row(
    found: dict[str, dict[str, np.ndarray]],
    kind: str,
    benchmark: str,
    metric: str,
    views: str,
    config: ReportConfig,
) -> dict[str, object]:
    values, described = found[kind][metric], describe(metric)
    row = {
        "benchmark": benchmark,
        "metric": metric,
        "unit": described.unit,
        "better": described.better,
        "method": f"{KINDS[kind]}, {views}",
        "mean": round(float(values.mean()), described.decimals),
        "n_subjects": values.shape[1],
        "note": "",
    }
    if kind == HULL:
        return row
    rng = numpy_rng(config.seed, "bootstrap", "carving", benchmark, metric)
    gain = paired_gain(values, found[HULL][metric], described.better, config.resamples, rng)
    return row | {
        "baseline": f"{KINDS[HULL]}, {views}",
        "baseline_mean": round(gain.baseline_mean, described.decimals),
        "relative_gain": round(gain.relative, _GAIN_DECIMALS),
        "ci_low": round(gain.low, _GAIN_DECIMALS),
        "ci_high": round(gain.high, _GAIN_DECIMALS),
        "note": verdict(gain),
    }


def carving_markdown(table: pd.DataFrame) -> str:
    """Markdown form, with a legend that names the baseline."""
    legend = LEGEND.replace("base ", "the hull of the same views ")
    return to_markdown(table).replace(LEGEND, legend)
