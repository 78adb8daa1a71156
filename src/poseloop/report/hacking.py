"""Table of reward hacking: what the proxy gained, and what nothing was trained by."""

from collections.abc import Mapping

import pandas as pd

from poseloop.evaluate.hacking.config import HackingConfig
from poseloop.evaluate.hacking.metrics import describe
from poseloop.evaluate.hacking.runs import pivot
from poseloop.evaluate.statistics import paired_gain
from poseloop.report.config import ReportConfig
from poseloop.report.family import BASE_LABEL
from poseloop.report.markdown import to_markdown
from poseloop.report.rows import (
    COLUMNS,
    GAINS,
    gain_columns,
    metric_columns,
    value_columns,
    verdict,
)
from poseloop.runtime.seeds import numpy_rng

LAST, CHOSEN = "last", "chosen"
ALL_SETS = "all sets"
_LEGEND = (
    "In brackets: relative gain over the base and its 95 % interval by paired bootstrap over "
    "subjects and seeds of training, positive where better; * where the interval lies above zero. "
    "The reward is hacked where the proxy gains and the judge, which reads pictures, loses; a "
    "held-out reward that reads the same latents may be deceived with the proxy. The stop is "
    "chosen on other validation subjects than those of the table."
)


def make_hacking_table(
    runs: pd.DataFrame,
    chosen: Mapping[str, int],
    labels: Mapping[str, str],
    hacking: HackingConfig,
    config: ReportConfig,
) -> pd.DataFrame:
    """One tidy table, per set and for all sets together: every arm at both stops, and the base.

    Parameters
    ----------
    runs : DataFrame
        From `runs.read_runs`.
    chosen : mapping
        Arm to its chosen step.
    labels : mapping
        Arm to its name in tables.

    Returns
    -------
    DataFrame
        Columns `rows.COLUMNS`, then `arm`, `stop` (`last` or `chosen`) and `step`.
    """
    groups = {name: [name] for name in hacking.sets} | {ALL_SETS: hacking.sets}
    rows = []
    for group, sets in groups.items():
        for measure in hacking.table:
            rows.append(_base_row(runs, group, sets, measure, hacking))
            for arm in hacking.arms:
                last = int(runs.loc[runs["arm"] == arm, "step"].max())
                for stop, step in ((LAST, last), (CHOSEN, chosen[arm])):
                    method = f"{labels[arm]}, {stop} (step {step})"
                    row = _row(runs, arm, step, method, group, sets, measure, config)
                    rows.append(row | {"stop": stop})
    return pd.DataFrame(rows, columns=[*COLUMNS, "arm", "stop", "step"])


def _row(
    runs: pd.DataFrame,
    arm: str,
    step: int,
    method: str,
    group: str,
    sets: list[str],
    measure: str,
    config: ReportConfig,
) -> dict[str, object]:
    kind = describe(measure)
    values, base = (pivot(runs, arm, at, measure, sets) for at in (step, 0))
    rng = numpy_rng(config.seed, "bootstrap", "hacking", group, measure)
    gain = paired_gain(values, base, kind.better, config.resamples, rng)
    gains = gain_columns(gain, BASE_LABEL, kind.decimals)
    # The base against itself has no sign.
    gains |= {name: gains[name] + 0.0 for name in GAINS}
    row = metric_columns(group, measure, kind, method) | value_columns(values, kind.decimals)
    return row | gains | {"note": verdict(gain), "arm": arm, "step": step}


def _base_row(
    runs: pd.DataFrame, group: str, sets: list[str], measure: str, hacking: HackingConfig
) -> dict[str, object]:
    """The base is step 0 of every run, and the same in all: it is read from the first arm's."""
    kind, values = describe(measure), pivot(runs, hacking.arms[0], 0, measure, sets)[:1]
    row = metric_columns(group, measure, kind, BASE_LABEL) | value_columns(values, kind.decimals)
    return row | {"note": "", "step": 0}


def hacking_markdown(table: pd.DataFrame, hacking: HackingConfig) -> str:
    """Markdown form, with how the stop was chosen."""
    stop = hacking.stop
    rule = (
        f"Chosen: the {stop.take} step whose {describe(stop.measure).label} is within "
        f"{100 * stop.within:g} % of the least, over {hacking.choosing} subjects of each set."
    )
    return to_markdown(table, describe, f"{_LEGEND} {rule}")
