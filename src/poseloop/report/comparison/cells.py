"""Cells of the tidy tables of two runs, paired by what names them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from poseloop.report.provenance.cells import KEYS, VALUE, read_cells
from poseloop.runtime.errors import UserError

# Without these a table has no cells to pair.
NEEDED = ("benchmark", "metric", "method", VALUE)
_INTERVAL = ("ci_low", "ci_high")
_NUMBERS = (VALUE, "baseline_mean", "relative_gain", *_INTERVAL)
_TABLES = "tables"


@dataclass(frozen=True)
class Reading:
    """A row of one run.

    Attributes
    ----------
    mean : float or None
        None where the table has none.
    verdict : str
        "gain" or "loss" where the interval is clear of zero, "no gain" where it touches it, empty
        where there is no interval.
    numbers : tuple
        All that has to be equal: mean, baseline's mean, gain and interval.
    """

    mean: float | None
    verdict: str
    numbers: tuple[float | None, ...]


@dataclass(frozen=True)
class Pair:
    """A row of a table in two runs; None where a run does not have it.

    Attributes
    ----------
    table : str
    keys : dict
        Of `KEYS`, those that the row has.
    better : str
        `higher`, `lower`, or empty where the table does not say.
    a, b : Reading or None
    """

    table: str
    keys: dict[str, str]
    better: str
    a: Reading | None
    b: Reading | None

    @property
    def alone(self) -> str:
        """`A` or `B` where only one run has the row, else empty."""
        return "" if self.a and self.b else "A" if self.a else "B"

    @property
    def flips(self) -> bool:
        """Whether both runs have a verdict, and not the same."""
        return bool(
            self.a
            and self.b
            and self.a.verdict
            and self.b.verdict
            and self.a.verdict != self.b.verdict
        )

    @property
    def equal(self) -> bool:
        """Whether the runs print the same numbers."""
        return bool(self.a and self.b and self.a.numbers == self.b.numbers)

    @property
    def change(self) -> float | None:
        """Mean of B minus mean of A."""
        if not (self.a and self.b) or self.a.mean is None or self.b.mean is None:
            return None
        return self.b.mean - self.a.mean


@dataclass(frozen=True)
class Comparison:
    """Two runs.

    Attributes
    ----------
    a, b : Path
        Folders of results.
    pairs : list of Pair
        Equal ones too; by table, where a verdict flips first.
    tables : list of str
        That both runs have.
    alone : dict
        Table to the run, `A` or `B`, that alone has it.
    other : list of str
        Tables of both runs without the tidy columns; they are not compared.
    """

    a: Path
    b: Path
    pairs: list[Pair]
    tables: list[str]
    alone: dict[str, str]
    other: list[str]


def compare(
    a: Path, b: Path, tables: Sequence[str] = (), metrics: Sequence[str] = ()
) -> Comparison:
    """Pair the rows of all tables of two folders of results, or of the named ones alone.

    Parameters
    ----------
    a, b : Path
        As `results/demo`.
    tables, metrics : sequences of str
        To look at; all where empty.

    Raises
    ------
    UserError
        A folder or a named table is missing, no table has a named metric, a table is not tidy in
        one run or where it was asked for, or has two values for one row.
    """
    names_a, names_b = _names(a), _names(b)
    for name in tables:
        for folder, names in ((a, names_a), (b, names_b)):
            if name not in names:
                path = folder / _TABLES / f"{name}.csv"
                raise UserError(f"{path}: table not found; there are: {', '.join(names)}")
    wanted = list(tables) or sorted({*names_a, *names_b})
    alone = {name: "A" if name in names_a else "B" for name in wanted if name not in names_a}
    alone |= {name: "A" for name in wanted if name not in names_b}
    pairs, compared, other, known = [], [], [], set()
    for name in wanted:
        if name in alone:
            continue
        read = [read_cells(folder / _TABLES / f"{name}.csv") for folder in (a, b)]
        lacking = [[key for key in NEEDED if key not in table.columns] for table in read]
        if all(lacking) and name not in tables:
            other.append(name)
            continue
        for folder, lacks in zip((a, b), lacking, strict=True):
            if lacks:
                raise UserError(
                    f"{folder / _TABLES / name}.csv: not a tidy table of results: "
                    f"no column {', '.join(lacks)}"
                )
        rows = [_rows(folder, name, table) for folder, table in zip((a, b), read, strict=True)]
        found = [_pair(name, keys, *rows) for keys in dict.fromkeys([*rows[0], *rows[1]])]
        known |= {pair.keys.get("metric", "") for pair in found}
        found = [pair for pair in found if not metrics or pair.keys.get("metric") in metrics]
        pairs += sorted(found, key=lambda pair: not pair.flips)
        compared.append(name)
    unknown = sorted(set(metrics) - known)
    if unknown:
        raise UserError(
            f"--metric: no table has {', '.join(unknown)}; there are: {', '.join(sorted(known))}"
        )
    return Comparison(a, b, pairs, compared, alone, other)


def _names(folder: Path) -> list[str]:
    """Tables of a run.

    Raises
    ------
    UserError
        There are none.
    """
    if not folder.is_dir():
        raise UserError(f"{folder}: folder of results not found")
    names = sorted(path.stem for path in (folder / _TABLES).glob("*.csv"))
    if not names:
        raise UserError(f"{folder / _TABLES}: no tables there; name a folder such as results/demo")
    return names


def _rows(folder: Path, name: str, table: pd.DataFrame) -> dict[tuple, tuple[str, Reading]]:
    """Key of every row, as pairs of column and text, to its direction and its reading."""
    path = folder / _TABLES / f"{name}.csv"
    rows: dict[tuple, tuple[str, Reading]] = {}
    for row in table.to_dict("records"):
        key = tuple((column, row[column]) for column in KEYS if row.get(column))
        numbers = tuple(_number(path, row.get(column, "")) for column in _NUMBERS)
        verdict = _verdict(*numbers[-len(_INTERVAL) :])
        found = (row.get("better", ""), Reading(numbers[0], verdict, numbers))
        if rows.setdefault(key, found) != found:
            raise UserError(f"{path}: two rows for {' '.join(text for _, text in key)}")
    return rows


def _number(path: Path, text: str) -> float | None:
    try:
        return float(text) if text else None
    except ValueError as fault:
        raise UserError(f"{path}: {text!r} stands where a number belongs") from fault


def _verdict(low: float | None, high: float | None) -> str:
    """As `report.rows.verdict` puts it into notes, from the interval as it is printed."""
    if low is None or high is None:
        return ""
    return "gain" if low > 0 else "loss" if high < 0 else "no gain"


def _pair(name: str, keys: tuple, a: dict, b: dict) -> Pair:
    (better_a, reading_a), (better_b, reading_b) = (rows.get(keys, ("", None)) for rows in (a, b))
    return Pair(name, dict(keys), better_a or better_b, reading_a, reading_b)
