"""Markdown and LaTeX forms of PoseGen's tidy tables: one line per row, for people to read."""

import pandas as pd

from poseloop.report.latex import escape

_HEADER = ["benchmark", "metric", "method", "mean", "baseline", "gain", "95 % interval"]


def to_markdown(table: pd.DataFrame) -> str:
    """A pipe table, and the notes that say more than a verdict, each once."""
    lines = ["| " + " | ".join(_HEADER) + " |", "|---|---|---|--:|---|--:|---|"]
    lines += ["| " + " | ".join(cells) + " |" for cells in _lines(table)]
    notes = [note for note in table["note"].dropna().unique() if "; " in note]
    return "\n".join(lines) + "\n\n" + "".join(f"- {note}\n" for note in notes)


def to_latex(table: pd.DataFrame) -> str:
    """A booktabs tabular, with a rule between benchmarks."""
    lines = [
        r"\begin{tabular}{lllrlrl}",
        r"\toprule",
        " & ".join(map(escape, _HEADER)) + r" \\",
    ]
    benchmark = None
    for cells in _lines(table):
        if cells[0] != benchmark:
            lines.append(r"\midrule")
            benchmark = cells[0]
        lines.append(" & ".join(map(escape, cells)) + r" \\")
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}"]) + "\n"


def _lines(table: pd.DataFrame) -> list[list[str]]:
    """Cells of every row as text; a star where the interval lies above zero."""
    lines = []
    for row in table.to_dict("records"):
        baseline = gain = interval = ""
        if not pd.isna(row["relative_gain"]):
            low, high = 100 * row["ci_low"], 100 * row["ci_high"]
            baseline = row["baseline"]
            gain = f"{100 * row['relative_gain']:+.1f} %" + (" *" if low > 0 else "")
            interval = f"[{low:+.1f}, {high:+.1f}]"
        mean = f"{row['mean']:g} {row['unit']}"
        lines.append(
            [row["benchmark"], row["metric"], row["method"], mean, baseline, gain, interval]
        )
    return lines
