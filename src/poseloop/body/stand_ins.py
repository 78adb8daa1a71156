"""What stands in for the objects that a pickle asks for: their data, none of their code.

Even NumPy's own are not safe to hand out: `ndarray` takes any shape without data for it, `dtype`
takes any flags. These check what they are given.
"""

import math
import pickle
import re

import numpy as np

_CODE = re.compile(r"[?biufcSUO]\d{0,6}")


class StandIn:
    """Stands in for an object of a foreign class: what it was made of, none of its code."""

    def __new__(cls, *arguments: object) -> "StandIn":
        """Keep the arguments; there is no state yet."""
        made = super().__new__(cls)
        made.arguments, made.state = arguments, None
        return made

    def __setstate__(self, state: object) -> None:
        self.state = state


class _Kind(StandIn):
    """A dtype of plain numbers, texts or objects; `value` is NumPy's."""

    def __new__(cls, code: str, *_: object) -> "_Kind":
        if not isinstance(code, str) or not _CODE.fullmatch(code):
            raise pickle.UnpicklingError(f"arrays of the type {code!r:.40}")
        made = super().__new__(cls)
        made.value = np.dtype(code)
        return made

    def __setstate__(self, state: object) -> None:
        if state[1] not in ("<", ">", "|", "="):
            raise pickle.UnpicklingError(f"byte order {state[1]!r:.40}")
        self.value = self.value.newbyteorder(state[1])


class PlainArray(np.ndarray):
    """An array that takes its shape only together with data for it."""

    def __setstate__(self, state: tuple) -> None:
        shape, kind, columns_first, data = state[-4:]
        checked = _bytes(data) if kind.value.kind != "O" else data
        have = len(checked) // kind.value.itemsize if kind.value.kind != "O" else len(data)
        if not isinstance(checked, bytes | list) or have != _count(shape):
            raise pickle.UnpicklingError(f"an array of the shape {shape!r:.60} with other data")
        super().__setstate__((1, shape, kind.value, bool(columns_first), checked))


# An argument of `_reconstruct` and no more.
_NDARRAY = object()


def _reconstruct(kind: object, *_: object) -> np.ndarray:
    if kind is not _NDARRAY:
        raise pickle.UnpicklingError("an array of a foreign class")
    return np.ndarray.__new__(PlainArray, (0,), "b")


def _scalar(kind: _Kind, data: bytes | str) -> np.generic:
    if kind.value.kind == "O":
        raise pickle.UnpicklingError("a number that is an object")
    [value] = np.frombuffer(_bytes(data), kind.value)
    return value


def _from_buffer(data: bytes, kind: _Kind, shape: tuple[int, ...], order: str) -> np.ndarray:
    """An array as NumPy 2 pickles it by protocol 5; NumPy refuses one of objects here."""
    return np.frombuffer(_bytes(data), kind.value).reshape(shape, order=order)


def _encode(text: str, encoding: str) -> bytes:
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"bytes in {encoding}")
    return text.encode("latin1")


def _bytes(data: bytes | str) -> bytes:
    """Raw data; Python 2's were text, which reads as Latin 1."""
    return data.encode("latin1") if isinstance(data, str) else bytes(memoryview(data))


def _count(shape: object) -> int:
    if not isinstance(shape, tuple) or not all(isinstance(n, int) and n >= 0 for n in shape):
        raise pickle.UnpicklingError(f"the shape {shape!r:.60}")
    return math.prod(shape)


class Record(StandIn):
    """An object that is its fields."""

    fields: dict = {}

    def __setstate__(self, state: object) -> None:
        if not isinstance(state, dict):
            raise pickle.UnpicklingError("a record without fields")
        self.fields = self.state = state


class Chumpy(Record):
    """A chumpy array: its value is the field `x`."""


class Sparse(Record):
    """A SciPy sparse matrix in compressed columns."""


class SparseRows(Record):
    """A SciPy sparse matrix in compressed rows."""


def _reconstructor(kind: type, base: type, state: object) -> Record:
    if not (isinstance(kind, type) and issubclass(kind, Record)) or base is not object:
        raise pickle.UnpicklingError("copyreg._reconstructor of a foreign class")
    return kind()


def _at(homes: str, name: str, stand_in: object) -> dict[tuple[str, str], object]:
    """One object has had several homes over the years, and in Python 2 others still."""
    return {(home, name): stand_in for home in homes.split()}


_MULTIARRAY = "numpy.core.multiarray numpy._core.multiarray"
NUMPY_NAMES = {
    **_at(_MULTIARRAY, "_reconstruct", _reconstruct),
    **_at(_MULTIARRAY, "scalar", _scalar),
    **_at("numpy.core.numeric numpy._core.numeric", "_frombuffer", _from_buffer),
    **_at("numpy", "ndarray", _NDARRAY),
    **_at("numpy", "dtype", _Kind),
    **_at("_codecs", "encode", _encode),
}
"""Module and name of what NumPy's arrays are pickled by, to what stands in for it."""
OTHER_NAMES = {
    **_at("copyreg copy_reg", "_reconstructor", _reconstructor),
    **_at("builtins __builtin__", "object", object),
    **_at("chumpy chumpy.ch", "Ch", Chumpy),
    **_at("scipy.sparse scipy.sparse.csc scipy.sparse._csc", "csc_matrix", Sparse),
    **_at("scipy.sparse scipy.sparse.csr scipy.sparse._csr", "csr_matrix", SparseRows),
}
"""The same of chumpy's and SciPy's arrays."""
