"""What a finished run says on the terminal: its tables, what they show, its time, where to look."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

import pandas as pd

from poseloop.report.timing import Timing, read_timing
from poseloop.runtime.errors import UserError

VERDICTS = ("gain", "loss", "no gain")


def table_line(path: Path) -> str:
    """Name of a tidy table, and how many of its comparisons are gains, losses and neither.

    Raises
    ------
    UserError
        The file is no tidy table.
    """
    try:
        table = pd.read_csv(path, dtype={"note": str})  # all empty, it would be of numbers
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
    jobs: dict[str, Timing] = {}
    for name, path in benchmarks.items():
        with suppress(UserError):
            jobs[name] = read_timing(path)
    if not jobs:
        return "no job was timed"
    longest = max(jobs, key=lambda name: jobs[name].wall_clock_s)
    largest = max(jobs, key=lambda name: jobs[name].peak_memory_mb)
    total = sum(job.cpu_s for job in jobs.values()) / 60
    return (
        f"{len(jobs)} jobs, {total:.1f} CPU minutes; longest {longest}, "
        f"{jobs[longest].wall_clock_s:.0f} s; largest {largest}, "
        f"{jobs[largest].peak_memory_mb / 1000:.1f} GB"
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
