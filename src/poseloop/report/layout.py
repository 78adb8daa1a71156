"""Wide form of a tidy table, the common ground of Markdown and LaTeX."""

from collections.abc import Callable

import pandas as pd

from poseloop.evaluate.metrics import Metric, describe

_ARROWS = {"higher": "↑", "lower": "↓"}


Describe = Callable[[str], Metric]
"""From a metric's name to what it is."""


def wide(table: pd.DataFrame, describe: Describe = describe) -> tuple[list[str], list[list[str]]]:
    """Header and rows of text, one row per benchmark and metric, one column per method.

    A method with a baseline shows its mean, its relative gain and the gain's 95 % interval in
    percent, and a star where the interval is clear of zero on the better side. Single views stay
    in the CSV.

    Parameters
    ----------
    table : DataFrame
        As `tables.make_table` gives it or as its CSV reads.
    describe : function
        From a metric's name to what it is; DrPose's metrics if not given.
    """
    shown = table[~table["metric"].str.contains("_view")]
    methods = list(dict.fromkeys(shown["method"]))
    header = ["benchmark", "metric", "unit", *methods, "published"]
    rows = []
    for (benchmark, metric), group in shown.groupby(["benchmark", "metric"], sort=False):
        kind = describe(metric)
        by_method = {row["method"]: row for _, row in group.iterrows()}
        cells = [_cell(by_method.get(method), kind.decimals) for method in methods]
        published = [f"{value:g}" for value in group["published"].dropna().unique()]
        label = f"{kind.label} {_ARROWS[kind.better]}"
        rows.append([benchmark, label, kind.unit, *cells, " → ".join(published)])
    return header, rows


def _cell(row: pd.Series | None, decimals: int) -> str:
    if row is None:
        return ""
    mean = f"{row['mean']:.{decimals}f}"
    if pd.isna(row["relative_gain"]):
        return mean
    gain, low, high = (100 * row[name] for name in ("relative_gain", "ci_low", "ci_high"))
    star = " *" if low > 0 else ""
    return f"{mean} ({gain:+.1f} % [{low:+.1f}, {high:+.1f}]){star}"
