"""One number of a table, found by the words that a reader knows it by."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from poseloop.runtime.errors import UserError
from poseloop.runtime.files import require_file

VALUE = "mean"
# What names a row, the more telling first.
KEYS = ("benchmark", "metric", "method", "baseline", "seed")


@dataclass(frozen=True)
class Cell:
    """A cell of a table.

    Attributes
    ----------
    table : Path
        The CSV file.
    line : int
        Its row, 0 for the first below the header.
    row : dict
        Column to text, of the whole row.
    column : str
    """

    table: Path
    line: int
    row: dict[str, str]
    column: str

    @property
    def value(self) -> str:
        """The text as printed; empty where the table has none."""
        return self.row[self.column]

    @property
    def keys(self) -> dict[str, str]:
        """What names the row."""
        return {key: self.row[key] for key in KEYS if self.row.get(key)}


def table_path(preset: str, name: str) -> Path:
    """Path of a table by its name.

    Raises
    ------
    UserError
        There is no such table; those that exist are named.
    """
    folder = Path("results") / preset / "tables"
    path = folder / f"{name}.csv"
    if not path.is_file():
        there = ", ".join(sorted(file.stem for file in folder.glob("*.csv"))) or "none"
        raise UserError(f"{path}: table not found; there are: {there}")
    return path


def read_cells(path: str | Path) -> pd.DataFrame:
    """A table as text, exactly as it is printed.

    Raises
    ------
    UserError
        The file is missing or not a CSV table.
    """
    try:
        return pd.read_csv(require_file(path, "table"), dtype=str, keep_default_na=False)
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as fault:
        raise UserError(f"{path}: not a CSV table ({fault})") from fault


def find_cell(path: Path, words: list[str]) -> Cell:
    """The one cell that the words name.

    The last word may be a column; without one the column is `mean`. Every other word is a
    benchmark, metric, method, baseline or seed, in any order. A word that names a method is not
    taken for a baseline where a row of that method fits.

    Raises
    ------
    UserError
        No row fits, or several do; the message says what there is.
    """
    table = read_cells(path)
    column = words[-1] if words and words[-1] in table.columns else VALUE
    names = words[:-1] if words and words[-1] in table.columns else words
    if column not in table.columns:
        raise UserError(f"{path}: name a column: {', '.join(table.columns)}")
    keys = [key for key in KEYS if key in table.columns]
    for name in names:
        if not any((table[key] == name).any() for key in keys):
            held = "; ".join(f"{key}: {', '.join(_distinct(table[key]))}" for key in keys)
            raise UserError(f"{path}: no row has {name!r}; there are {held}")
    fits = {}
    for line, row in enumerate(table.to_dict("records")):
        places = [next((i for i, key in enumerate(keys) if row[key] == n), None) for n in names]
        if None not in places:
            fits.setdefault(sum(places), []).append(line)
    best = fits[min(fits)] if fits else []
    if len(best) != 1:
        asked = " ".join(names)
        found = "; ".join(" ".join(_text(table, line, keys)) for line in best[:6])
        raise UserError(f"{path}: {len(best)} rows fit {asked!r}{': ' if found else ''}{found}")
    return cell_at(path, table, best[0], column)


def cell_at(path: Path, table: pd.DataFrame, line: int, column: str) -> Cell:
    """The cell in a row and column of a table read by `read_cells`."""
    return Cell(path, line, dict(table.iloc[line]), column)


def _distinct(column: pd.Series) -> list[str]:
    return [value for value in dict.fromkeys(column) if value]


def _text(table: pd.DataFrame, line: int, keys: list[str]) -> list[str]:
    return [table[key][line] for key in keys if table[key][line]]
