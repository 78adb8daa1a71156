"""What a finished run says on the terminal: its tables, what they show, its time, where to look."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import pandas as pd

from poseloop.runtime.errors import UserError

VERDICTS = ("gain", "loss", "no gain")
_TIME_COLUMNS = {"s", "cpu_time", "max_rss"}


def table_line(path: Path) -> str:
    """Name of a tidy table, and how many of its comparisons are gains, losses and neither.

    Raises
    ------
    UserError
        The file is no tidy table.
    """
    try:
        table = pd.read_csv(path)
        compared = table[table["relative_gain"].notna()]
        verdicts = compared["note"].str.split(";").str[0]
    except (OSError, ValueError, KeyError, AttributeError) as fault:
        raise UserError(f"{path}: not a table of results ({fault})") from fault
    counts = [f"{int((verdicts == name).sum())} {name}" for name in VERDICTS]
    return f"{path.stem:<20} {', '.join(counts)}"


def time_line(benchmarks: Mapping[str, str | Path]) -> str:
    """Processor's minutes of the jobs of a run, the longest of them, and the largest.

    Parameters
    ----------
    benchmarks : a job's name to its `benchmark:` file; a missing or foreign file is left out
    """
    rows = {}
    for name, path in benchmarks.items():
        try:
            rows[name] = pd.read_csv(path, sep="\t").iloc[0]
        except (OSError, ValueError, IndexError):
            continue
    rows = {name: row for name, row in rows.items() if set(row.index) >= _TIME_COLUMNS}
    if not rows:
        return "no job was timed"
    longest = max(rows, key=lambda name: rows[name]["s"])
    largest = max(rows, key=lambda name: rows[name]["max_rss"])
    total = sum(float(row["cpu_time"]) for row in rows.values()) / 60
    return (
        f"{len(rows)} jobs, {total:.1f} CPU minutes; longest {longest}, "
        f"{float(rows[longest]['s']):.0f} s; largest {largest}, "
        f"{float(rows[largest]['max_rss']) / 1000:.1f} GB"
    )


def ending(outputs: Iterable[str | Path], benchmarks: Mapping[str, str | Path]) -> list[str]:
    """Lines on what a run has made, none where it made no table.

    Parameters
    ----------
    outputs : files that the run's jobs wrote
    benchmarks : a job's name to its `benchmark:` file
    """
    outputs = sorted(set(map(Path, outputs)))
    tables = [
        path
        for path in outputs
        if path.parent.name == "tables" and path.suffix == ".csv" and path.is_file()
    ]
    tidy = [path for path in tables if "relative_gain" in path.open().readline()]
    if not tidy:
        return []
    folders = {path.parent for path in outputs if path.parent.name == "figures"}
    lines = ["", "Comparisons whose 95 % interval is clear of zero, and those that touch it:"]
    lines += [f"  {table_line(path)}" for path in tidy]
    lines.append(f"Time: {time_line(benchmarks)}")
    lines.append(f"Tables: {tidy[0].parent}/*.md")
    lines += [f"Figures: {folder}/*.png" for folder in sorted(folders)]
    return lines
