"""Table of the family of fine-tuning methods, and what each of them cost."""

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from poseloop.report.config import ReportConfig
from poseloop.report.tables import BASE, Results, make_table
from poseloop.reward.family.config import FamilyConfig
from poseloop.runtime.errors import UserError
from poseloop.runtime.files import read_json, require_file

BASE_LABEL = "no post-training"


def make_family_table(
    results: Results,
    family: FamilyConfig,
    benchmarks: Iterable[str],
    config: ReportConfig,
    n_seeds: int,
) -> pd.DataFrame:
    """One tidy table of all arms against the base, or against the reference arm.

    The paper prints no values for the family, so none stand beside ours.
    """
    name = "family"
    config = config.model_copy(update={"tables": {name: family.table}, "published": []})
    methods = {BASE: BASE_LABEL} | {arm: entry.label for arm, entry in family.arms.items()}
    baseline = family.reference or BASE
    methods = {baseline: methods[baseline]} | methods
    return make_table(name, results, methods, benchmarks, config, n_seeds, baseline)


def make_cost_table(
    trained: Iterable[Path], measured: Iterable[Path], family: FamilyConfig
) -> pd.DataFrame:
    """Samples seen, time and peak memory of every run.

    `cpu_s` is the processor's time, which a busy machine does not stretch.

    Parameters
    ----------
    trained : metrics.json of the runs, {arm}/seed{seed}/metrics.json
    measured : Snakemake's `benchmark:` files of the same runs, in the same order

    Raises
    ------
    UserError
        A file is missing or is no benchmark file.
    """
    rows = []
    for path, timing in zip(trained, measured, strict=True):
        arm = path.parent.parent.name
        table = pd.read_csv(require_file(timing, "benchmark file"), sep="\t")
        if not {"s", "max_rss", "cpu_time"} <= set(table.columns) or table.empty:
            raise UserError(f"{timing}: not a benchmark file of Snakemake")
        rows.append(
            {
                "method": family.arms[arm].label,
                "seed": int(path.parent.name.removeprefix("seed")),
                "samples_seen": read_json(path)["samples_seen"],
                "wall_clock_s": round(float(table["s"].iloc[0]), 1),
                "cpu_s": round(float(table["cpu_time"].iloc[0]), 1),
                "peak_memory_mb": round(float(table["max_rss"].iloc[0])),
            }
        )
    return pd.DataFrame(rows)
