"""The means of a tidy table as nested numbers, which `dvc metrics` shows and compares."""

import pandas as pd

Summary = dict[str, dict[str, dict[str, float]]]


def summarise(table: pd.DataFrame) -> Summary:
    """Benchmark to metric to method to mean, in the units of the table's rows.

    Values of single views (`..._view090`) are left to the table.

    Parameters
    ----------
    table : DataFrame
        Columns `benchmark`, `metric`, `method` and `mean` of `rows.COLUMNS`.
    """
    means: Summary = {}
    for row in table[~table.metric.str.contains("_view")].itertuples():
        means.setdefault(row.benchmark, {}).setdefault(row.metric, {})[row.method] = row.mean
    return means
