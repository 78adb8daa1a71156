"""Pickled dictionaries, lists and data frames of the real sets, without running what they name."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from poseloop.body.stand_ins import StandIn
from poseloop.body.unpickler import RestrictedUnpickler
from poseloop.runtime.files import require_file
from poseloop.runtime.refusing import refusing

_MOST_COLUMNS = 10_000


class _Frame(StandIn):
    """A DataFrame: its manager is in the state."""


class _Manager(StandIn):
    """A BlockManager: blocks and axes, in the arguments or, before pandas 1.3, in the state."""


def _keep(*arguments: object) -> StandIn:
    return StandIn(*arguments)


_KNOWN = {
    ("pandas", "DataFrame"): _Frame,
    ("pandas.core.frame", "DataFrame"): _Frame,
    ("pandas.core.internals.managers", "BlockManager"): _Manager,
    ("pandas._libs.internals", "_unpickle_block"): _keep,
    ("pandas.core.internals.blocks", "new_block"): _keep,
    ("pandas.core.indexes.base", "_new_Index"): _keep,
    ("pandas", "Index"): StandIn,
    ("pandas", "RangeIndex"): StandIn,
    ("pandas.core.indexes.base", "Index"): StandIn,
    ("pandas.core.indexes.range", "RangeIndex"): StandIn,
    ("pandas.core.indexes.numeric", "Int64Index"): StandIn,
    ("builtins", "slice"): slice,
    ("__builtin__", "slice"): slice,
}


class _Unpickler(RestrictedUnpickler):
    allowed = RestrictedUnpickler.allowed | _KNOWN


def read_pickle(path: str | Path) -> object:
    """Numbers, text, lists, dictionaries and arrays of a pickle; all else is refused.

    Raises
    ------
    UserError
        The file is missing, is no pickle, or names anything but arrays and plain data frames.
    """
    path = require_file(path, "pickle file")
    with refusing(path, "not a readable pickle"), open(path, "rb") as stream:
        return _Unpickler(stream, encoding="latin1").load()


def read_frame(path: str | Path) -> dict[str, list]:
    """Columns of a pickled pandas data frame, each as a list of its rows' values.

    Raises
    ------
    UserError
        As `read_pickle`, or the content is no data frame of a known layout.
    """
    frame = read_pickle(path)
    with refusing(path, "not a pickled data frame"):
        if not isinstance(frame, _Frame):
            raise TypeError("not a data frame")
        state = frame.state
        manager = state.get("_mgr", state.get("_data"))
        axes, blocks = _blocks(manager)
        names = [str(name) for name in _labels(axes[0])]
        columns: dict[str, list] = {}
        for values, rows in blocks:
            for offset, row in enumerate(rows):
                columns[names[row]] = list(np.asarray(values, dtype=object)[offset])
        return {name: columns[name] for name in names}


def _blocks(manager: _Manager) -> tuple[list, list[tuple[np.ndarray, Iterable[int]]]]:
    if manager.state is not None:
        extra = manager.state[3]["0.14.1"]
        kept = [(block["values"], _places(block["mgr_locs"])) for block in extra["blocks"]]
        return extra["axes"], kept
    blocks, axes = manager.arguments
    return axes, [(block.arguments[0], _places(block.arguments[1])) for block in blocks]


def _places(where: slice | np.ndarray) -> Iterable[int]:
    if isinstance(where, slice):
        return range(where.start or 0, min(where.stop, _MOST_COLUMNS), where.step or 1)
    return [int(place) for place in where]


def _labels(index: StandIn) -> Iterable[object]:
    """Labels of an axis made by `_new_Index(class, {"data": labels, ...})`."""
    data = index.arguments[1]["data"]
    return data if isinstance(data, np.ndarray | list) else _labels(data)
