"""A comparison in lines for a terminal, and as a CSV file."""

from collections.abc import Iterable, Iterator, Sequence
from textwrap import shorten

import pandas as pd

from poseloop.report.comparison.causes import HASHED, KINDS, Causes, Difference
from poseloop.report.comparison.cells import Comparison, Pair

COLUMNS = (
    "benchmark",
    "metric",
    "method",
    "baseline",
    "mean A",
    "mean B",
    "change",
    "interval A",
    "interval B",
)
NUMBERS = ("mean A", "mean B", "change")
_FLIP, _WIDTH, _DIGITS = "!", 60, 8
# Seeds stand apart from the methods in tables that have a row for each.
_METHOD = ("method", "seed")


def cells_of(pair: Pair) -> list[str]:
    """The texts of a row under `COLUMNS`."""
    return [
        pair.keys.get("benchmark", ""),
        pair.keys.get("metric", ""),
        " ".join(pair.keys[key] for key in _METHOD if key in pair.keys),
        pair.keys.get("baseline", ""),
        "" if pair.a is None else _mean(pair.a.mean),
        "" if pair.b is None else _mean(pair.b.mean),
        "" if pair.change is None else f"{pair.change:+.4g}",
        f"only in {pair.alone}" if pair.alone else pair.a.verdict,
        f"only in {pair.alone}" if pair.alone else pair.b.verdict,
    ]


def shown(pairs: Iterable[Pair], equal: bool) -> list[Pair]:
    """The rows to tell: those that differ, or all."""
    return [pair for pair in pairs if equal or not pair.equal]


def cell_lines(comparison: Comparison, equal: bool = False) -> Iterator[str]:
    """One block for each table: cells whose verdict flips first and marked, then the others."""
    yield f"A: {comparison.a}"
    yield f"B: {comparison.b}"
    for table in comparison.tables:
        pairs = [pair for pair in comparison.pairs if pair.table == table]
        differing = shown(pairs, False)
        flips = sum(pair.flips for pair in pairs)
        told = shown(pairs, equal)
        if told:
            yield ""
        yield f"{table}: {len(differing)} of {len(pairs)} cells differ, {flips} verdict(s) flip"
        if told:
            marks = ["", *(_FLIP if pair.flips else "" for pair in told)]
            yield from _aligned(marks, [list(COLUMNS), *map(cells_of, told)])
    if comparison.alone or comparison.other:
        yield ""
    yield from (f"{table}: only in {run}" for table, run in comparison.alone.items())
    yield from (f"{table}: not compared, it is no tidy table" for table in comparison.other)


def cause_lines(a: Causes, b: Causes, found: Sequence[Difference]) -> Iterator[str]:
    """What differs behind the tables, by kind."""
    yield "what made A: " + a.known
    yield "what made B: " + b.known
    for kind in KINDS:
        own = [difference for difference in found if difference.kind == kind]
        if own:
            yield f"{kind}:"
        for difference in own:
            values = " -> ".join(_short(kind, value) for value in (difference.a, difference.b))
            yield f"  {difference.name}: {values}"
    for run, causes in (("A", a), ("B", b)):
        if not causes.machine:
            yield f"machine of {run}: not recorded; `python -m poseloop machine` does"
    if not found:
        yield "nothing that is known of both differs"


def frame_of(comparison: Comparison, equal: bool = False) -> pd.DataFrame:
    """The told rows as a table, flips marked in a column of their own."""
    told = shown(comparison.pairs, equal)
    rows = [[pair.table, *cells_of(pair), pair.flips] for pair in told]
    names = [column.lower().replace(" ", "_") for column in COLUMNS]
    return pd.DataFrame(rows, columns=["table", *names, "flips"])


def _mean(value: float | None) -> str:
    return "" if value is None else f"{value:.10g}"


def _short(kind: str, value: str) -> str:
    return value[:_DIGITS] if kind in HASHED else shorten(value, _WIDTH, placeholder=" ...")


def _aligned(marks: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    numbers = [column in NUMBERS for column in COLUMNS]
    for mark, row in zip(marks, rows, strict=True):
        cells = [
            text.rjust(width) if number else text.ljust(width)
            for text, width, number in zip(row, widths, numbers, strict=True)
        ]
        yield f"{mark:1} {'  '.join(cells)}".rstrip()
