"""Which values of which metrics files stand behind a cell."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from poseloop.report.provenance.cells import Cell
from poseloop.report.provenance.pipeline import Stage
from poseloop.runtime.errors import UserError
from poseloop.runtime.files import read_json, read_npz

# The one name in paths that stands in no config: `report.tables` has it, and loads PyTorch.
_UNCONFIGURED = {"ground truth": "truth"}
# These come from the baseline's values as well.
_PAIRED = {"baseline_mean", "relative_gain", "ci_low", "ci_high", "note"}
# These come from config and from the code alone.
_CONFIGURED = {"benchmark", "metric", "unit", "better", "method", "baseline", "published"}


@dataclass(frozen=True)
class Source:
    """Values of one file.

    Attributes
    ----------
    path : str
    key : str
        Place in the file, its parts joined by dots; empty for the whole file.
    count : int or None
        How many values are there; None where the file is absent.
    mean : float or None
        Their mean.
    """

    path: str
    key: str = ""
    count: int | None = None
    mean: float | None = None


Described = tuple[frozenset[str], Source]
"""Values of one key, with the words of path and key by which a cell may claim them."""


def sources_of(
    cell: Cell, stage: Stage, read: Callable[[str, int], list[Described]]
) -> list[Source]:
    """The values behind a cell, from the inputs of the stage that makes its table.

    A value belongs to a cell if the names of benchmark, metric and method stand in the file's path
    and in the key. Where no value has them all, as for an average over benchmarks, the values of
    the metric on that benchmark are given, and else all files.

    Parameters
    ----------
    read : function
        `read_sources`, or one that remembers what it returned.
    """
    if cell.column in _CONFIGURED:
        return []
    paths = [path for path in stage.inputs if Path(path).parts[0] == "results"]
    labels = [cell.row.get("method", "")]
    if cell.column in _PAIRED and cell.row.get("baseline"):
        labels.append(cell.row["baseline"])
    methods = {name for label in labels for name in names_of(label, stage.params)}
    where = {*cell.row.get("benchmark", "").split("/"), cell.row.get("metric", "")} - {""}
    depth = _depth(paths)
    found = [
        (words, source)
        for path in paths
        for words, source in read(path, depth)
        if source.count is None or where <= words
    ]
    matched = [source for words, source in found if methods & words]
    return matched or [source for _, source in found] or [Source(path) for path in paths]


def names_of(label: str, params: Mapping[str, object]) -> set[str]:
    """Names in paths of a method that tables call `label`, from the recorded config values.

    These are keys whose value is the label, or holds it as `label`; and the label itself.
    """
    names, waiting = {label, _UNCONFIGURED.get(label, label)}, [params]
    while waiting:
        node = waiting.pop()
        for key, value in node.items():
            if isinstance(value, Mapping):
                waiting.append(value)
                value = value.get("label")
            if value == label and key != "label":
                names.add(str(key))
    return names


def _depth(paths: list[str]) -> int:
    """How many parts all paths share: these say nothing about method or benchmark."""
    folders = [str(Path(path).parent.parent) for path in paths]
    return len(Path(os.path.commonpath(folders)).parts) if folders else 0


def read_sources(path: str, depth: int) -> list[Described]:
    """All lists or arrays of numbers in a JSON or npz file; without a key if the file is absent.

    A file that cannot be read has none: its hash tells that it is not what was recorded.

    Parameters
    ----------
    depth : int
        Parts of the path that say nothing, from the left.
    """
    around = {*Path(path).parts[depth:-1], Path(path).stem}
    if not Path(path).is_file():
        return [(frozenset(around), Source(path))]
    try:
        content = read_npz(path) if path.endswith(".npz") else read_json(path)
    except UserError:
        return []
    found = []
    for key, values in _walk(content.items(), ()) if isinstance(content, Mapping) else ():
        words = frozenset(around | {word for part in key for word in part.split("/")})
        mean = float(np.mean(values))
        found.append((words, Source(path, ".".join(key), int(np.size(values)), mean)))
    return found


def _walk(items: Iterable, above: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], object]]:
    for key, value in items:
        place = (*above, str(key))
        if isinstance(value, Mapping):
            yield from _walk(value.items(), place)
        elif isinstance(value, np.ndarray):
            if value.size and np.issubdtype(value.dtype, np.number):
                yield place, value
        elif isinstance(value, list) and value and all(isinstance(x, int | float) for x in value):
            yield place, value
