"""Files of measured values: benchmark (and ranker) to metric to one value for each picture."""

import math
from pathlib import Path

from poseloop.runtime.errors import UserError
from poseloop.runtime.files import read_json, write_json
from poseloop.runtime.refusing import refusing

# Enough for any printed digit, few enough that the file can be compared by eye.
_SIGNIFICANT = 6

Values = dict[str, "Values | list[float]"]


def write_values(path: str | Path, values: Values) -> None:
    """Write nested lists of numbers, six significant digits."""
    write_json(path, _rounded(values))


def read_values(path: str | Path) -> Values:
    """Read what `write_values` wrote.

    Raises
    ------
    UserError
        The file is missing or of another shape, or holds a value that is not a finite number.
    """
    content = read_json(path)
    if not isinstance(content, dict):
        raise UserError(f"{path}: not a file of measured values")
    with refusing(path, "not a file of measured values"):
        _check(path, content)
    return content


def _rounded(values: Values | list[float]) -> Values | list[float]:
    if isinstance(values, dict):
        return {name: _rounded(value) for name, value in values.items()}
    return [float(f"{value:.{_SIGNIFICANT}g}") for value in values]


def _check(path: str | Path, values: Values) -> None:
    for name, value in values.items():
        if isinstance(value, dict):
            _check(path, value)
            continue
        numbers = isinstance(value, list) and all(isinstance(x, int | float) for x in value)
        if not numbers or not value or not all(map(math.isfinite, value)):
            raise UserError(f"{path}: {name} has no values or one that is not a finite number")
