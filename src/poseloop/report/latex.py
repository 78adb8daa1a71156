"""LaTeX form of a tidy table (needs booktabs)."""

import pandas as pd

from poseloop.evaluate.metrics import describe
from poseloop.report.layout import Describe, wide

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "%": r"\%",
    "_": r"\_",
    "&": r"\&",
    "#": r"\#",
    "*": r"$^{*}$",
    "↑": r"$\uparrow$",
    "↓": r"$\downarrow$",
    "→": r"$\rightarrow$",
}


def escape(text: str) -> str:
    """Text with LaTeX's special characters made harmless."""
    return "".join(_SPECIAL.get(character, character) for character in text)


def to_latex(table: pd.DataFrame, describe: Describe = describe) -> str:
    """A booktabs tabular, with a rule between benchmarks; `describe` as in `layout.wide`."""
    header, rows = wide(table, describe)
    lines = [
        r"\begin{tabular}{lll" + "r" * (len(header) - 3) + "}",
        r"\toprule",
        " & ".join(map(escape, header)) + r" \\",
    ]
    benchmark = None
    for row in rows:
        if row[0] != benchmark:
            lines.append(r"\midrule")
            benchmark = row[0]
        lines.append(" & ".join(map(escape, row)) + r" \\")
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}"]) + "\n"
