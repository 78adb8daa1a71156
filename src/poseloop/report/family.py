"""Table of the family of fine-tuning methods, and what each of them cost."""

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from poseloop.report.config import ReportConfig
from poseloop.report.tables import BASE, Results, make_table
from poseloop.report.timing import read_timing
from poseloop.reward.family.config import FamilyConfig
from poseloop.runtime.files import read_json

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
    for path, file in zip(trained, measured, strict=True):
        arm, timing = path.parent.parent.name, read_timing(file)
        rows.append(
            {
                "method": family.arms[arm].label,
                "seed": int(path.parent.name.removeprefix("seed")),
                "samples_seen": read_json(path)["samples_seen"],
                "wall_clock_s": round(timing.wall_clock_s, 1),
                "cpu_s": round(timing.cpu_s, 1),
                "peak_memory_mb": round(timing.peak_memory_mb),
            }
        )
    return pd.DataFrame(rows)
