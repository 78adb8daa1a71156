"""The metrics files that evaluation writes and the report reads."""

import math
from pathlib import Path

from poseloop.evaluate.metrics import describe
from poseloop.runtime.errors import UserError
from poseloop.runtime.files import read_json, write_json
from poseloop.runtime.refusing import refusing

# Enough for any printed digit, few enough that the file can be read and compared by eye.
_SIGNIFICANT = 6


def write_metrics(path: str | Path, benchmarks: dict[str, dict[str, list[float]]]) -> None:
    """Write one value per benchmark, metric and subject, with every metric's unit."""
    names = sorted({name for table in benchmarks.values() for name in table})
    rounded = {
        benchmark: {
            name: [float(f"{value:.{_SIGNIFICANT}g}") for value in values]
            for name, values in table.items()
        }
        for benchmark, table in benchmarks.items()
    }
    write_json(path, {"benchmarks": rounded, "unit": {n: describe(n).unit for n in names}})


def read_metrics(path: str | Path) -> dict[str, dict[str, list[float]]]:
    """Read what `write_metrics` wrote: benchmark to metric to values.

    Raises
    ------
    UserError
        The file is missing or of another shape, names an unknown metric, or holds a value that is
        not a finite number.
    """
    content = read_json(path)
    with refusing(path, "not a metrics file"):
        for table in content["benchmarks"].values():
            for name, values in table.items():
                describe(name)
                if not values or not all(math.isfinite(value) for value in values):
                    raise UserError(f"{path}: {name} has no values or one that is not finite")
        return content["benchmarks"]
