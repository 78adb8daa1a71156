"""Pickled dictionaries, lists and data frames of the real sets, without running what they name."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from poseloop.body.safe_pickle import RestrictedUnpickler
from poseloop.runtime.errors import UserError
from poseloop.runtime.files import require_file


class _Kept:
    """Stands in for a pandas object: what it was made of, none of its code."""

    def __new__(cls, *arguments: object) -> "_Kept":
        kept = super().__new__(cls)
        kept.arguments = arguments
        kept.state = None
        return kept

    def __setstate__(self, state: object) -> None:
        self.state = state


class _Frame(_Kept):
    """A DataFrame: its manager is in the state."""


class _Manager(_Kept):
    """A BlockManager: blocks and axes, in the arguments or, before pandas 1.3, in the state."""


def _keep(*arguments: object) -> _Kept:
    return _Kept(*arguments)


def _from_buffer(data: bytes, dtype: np.dtype, shape: tuple[int, ...], order: str) -> np.ndarray:
    """An array of plain numbers, as NumPy 2 pickles it; NumPy refuses one of objects here."""
    return np.frombuffer(data, dtype).reshape(shape, order=order)


_KNOWN = {
    ("numpy._core.numeric", "_frombuffer"): _from_buffer,
    ("numpy.core.numeric", "_frombuffer"): _from_buffer,
    ("pandas", "DataFrame"): _Frame,
    ("pandas.core.frame", "DataFrame"): _Frame,
    ("pandas.core.internals.managers", "BlockManager"): _Manager,
    ("pandas._libs.internals", "_unpickle_block"): _keep,
    ("pandas.core.internals.blocks", "new_block"): _keep,
    ("pandas.core.indexes.base", "_new_Index"): _keep,
    ("pandas", "Index"): _Kept,
    ("pandas", "RangeIndex"): _Kept,
    ("pandas.core.indexes.base", "Index"): _Kept,
    ("pandas.core.indexes.range", "RangeIndex"): _Kept,
    ("pandas.core.indexes.numeric", "Int64Index"): _Kept,
    ("builtins", "slice"): slice,
    ("__builtin__", "slice"): slice,
}


class _Unpickler(RestrictedUnpickler):
    def find_class(self, module: str, name: str) -> object:
        found = _KNOWN.get((module, name))
        return super().find_class(module, name) if found is None else found


def read_pickle(path: str | Path) -> object:
    """Numbers, text, lists, dictionaries and arrays of a pickle; all else is refused.

    Raises
    ------
    UserError
        The file is missing, is no pickle, or names anything but arrays and plain data frames.
    """
    path = require_file(path, "pickle file")
    try:
        with open(path, "rb") as stream:
            return _Unpickler(stream, encoding="latin1").load()
    except Exception as fault:  # a damaged pickle can raise anything
        raise UserError(f"{path}: not a readable pickle ({fault})") from fault


def read_frame(path: str | Path) -> dict[str, list]:
    """Columns of a pickled pandas data frame, each as a list of its rows' values.

    Raises
    ------
    UserError
        As `read_pickle`, or the content is no data frame of a known layout.
    """
    frame = read_pickle(path)
    try:
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
    except (TypeError, KeyError, IndexError, AttributeError, ValueError) as fault:
        raise UserError(f"{path}: not a pickled data frame ({fault})") from fault


def _blocks(manager: _Manager) -> tuple[list, list[tuple[np.ndarray, Iterable[int]]]]:
    if manager.state is not None:
        extra = manager.state[3]["0.14.1"]
        kept = [(block["values"], _places(block["mgr_locs"])) for block in extra["blocks"]]
        return extra["axes"], kept
    blocks, axes = manager.arguments
    return axes, [(block.arguments[0], _places(block.arguments[1])) for block in blocks]


def _places(where: slice | np.ndarray) -> Iterable[int]:
    if isinstance(where, slice):
        return range(where.start or 0, where.stop, where.step or 1)
    return [int(place) for place in where]


def _labels(index: _Kept) -> Iterable[object]:
    """Labels of an axis made by `_new_Index(class, {"data": labels, ...})`."""
    data = index.arguments[1]["data"]
    return data if isinstance(data, np.ndarray | list) else _labels(data)
