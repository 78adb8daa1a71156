"""The page's tables beside those of another run."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from poseloop.report.comparison.causes import causes_of, differences
from poseloop.report.comparison.cells import compare
from poseloop.report.comparison.text import COLUMNS, NUMBERS, cells_of, shown


def compared_section(tables: Sequence[Path], other: Path) -> dict:
    """What the page says of another run, which is A; the page's own is B.

    Parameters
    ----------
    tables : sequence of Path
        The page's, `<results>/tables/<name>.csv`.
    other : Path
        Folder of the other run's results.

    Returns
    -------
    dict
        `a`, `b` (folders), `columns`, `numeric`, `rows` of texts, flipped verdicts first, `equal`
        (cells that are left out), `alone` (table to run), `known_a`, `known_b` (where causes are
        from) and `differences` of `kind`, `name`, `a` and `b`.

    Raises
    ------
    UserError
        The other run is missing, or its tables are of another shape.
    """
    own = {table.stem for table in tables}
    comparison = compare(other, tables[0].parents[1])
    pairs = [pair for pair in comparison.pairs if pair.table in own]
    told = sorted(shown(pairs, equal=False), key=lambda pair: not pair.flips)
    names = [name for name in comparison.tables if name in own]
    causes = [causes_of(folder, names) for folder in (comparison.a, comparison.b)]
    return {
        "a": str(comparison.a),
        "b": str(comparison.b),
        "columns": ["flips", "table", *COLUMNS],
        "numeric": NUMBERS,
        "rows": [["flips" if pair.flips else "", pair.table, *cells_of(pair)] for pair in told],
        "equal": len(pairs) - len(told),
        "alone": {
            table: run for table, run in comparison.alone.items() if run == "A" or table in own
        },
        "known_a": causes[0].known,
        "known_b": causes[1].known,
        "differences": [asdict(difference) for difference in differences(*causes)],
    }
