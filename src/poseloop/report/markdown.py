"""Markdown form of a tidy table."""

import pandas as pd

from poseloop.evaluate.metrics import describe
from poseloop.report.layout import Describe, wide

LEGEND = (
    "In brackets: relative gain over base and its 95 % interval by paired bootstrap over subjects "
    "and seeds, positive where better; * where the interval lies above zero."
)


def to_markdown(table: pd.DataFrame, describe: Describe = describe, legend: str = LEGEND) -> str:
    """A pipe table and its legend, with the notes that differ from a bare verdict.

    `describe` is as in `layout.wide`.
    """
    header, rows = wide(table, describe)
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * 3 + "--:|" * (len(header) - 3)]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines) + f"\n\n{legend}\n" + "".join(f"- {note}\n" for note in remarks(table))


def remarks(table: pd.DataFrame) -> list[str]:
    """Notes beyond the verdict, each once, with the metric and benchmark it is about."""
    found: dict[str, None] = {}
    for row in table.to_dict("records"):
        for note in row["note"].split("; ") if isinstance(row["note"], str) else ():
            if note.startswith("published"):
                found[f"{row['metric']}, {row['benchmark']}, {row['method']}: {note}"] = None
            elif note not in ("gain", "no gain", "loss", "the protocol on true pictures"):
                found[f"{row['metric']}: {note}"] = None
    return list(found)
