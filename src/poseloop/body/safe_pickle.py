"""Read a licensed SMPL pickle without running anything that it names.

Unpickling calls whatever functions a file asks for. This reader knows seven names of NumPy and
Python, keeps chumpy and SciPy objects as plain records of their fields, and refuses all else.
"""

import pickle
from itertools import pairwise
from pathlib import Path

import numpy as np

from poseloop.runtime.errors import UserError
from poseloop.runtime.files import require_file


class _Record:
    """Stands in for an object of a foreign class: its fields, none of its code."""

    def __new__(cls, *_: object) -> "_Record":
        record = super().__new__(cls)
        record.fields = {}
        return record

    def __setstate__(self, state: object) -> None:
        if not isinstance(state, dict):
            raise pickle.UnpicklingError("a record without fields")
        self.fields = state


class _Chumpy(_Record):
    """A chumpy array: its value is the field `x`."""


class _Sparse(_Record):
    """A SciPy sparse matrix in compressed columns."""


class _SparseRows(_Record):
    """A SciPy sparse matrix in compressed rows."""


def _reconstructor(kind: type, base: type, state: object) -> _Record:
    if not (isinstance(kind, type) and issubclass(kind, _Record)) or base is not object:
        raise pickle.UnpicklingError("copyreg._reconstructor of a foreign class")
    return kind()


def _encode(text: str, encoding: str) -> bytes:
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"bytes in {encoding}")
    return text.encode("latin1")


_ALLOWED = {
    ("multiarray", "_reconstruct"): np.empty(0).__reduce__()[0],
    ("multiarray", "scalar"): np.float64(0).__reduce__()[0],
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    ("copyreg", "_reconstructor"): _reconstructor,
    ("builtins", "object"): object,
    ("_codecs", "encode"): _encode,
    ("chumpy", "Ch"): _Chumpy,
    ("scipy.sparse", "csc_matrix"): _Sparse,
    ("scipy.sparse", "csr_matrix"): _SparseRows,
}
# One object has had several homes over the years, and in Python 2 others still.
_HOMES = {
    "numpy.core.multiarray": "multiarray",
    "numpy._core.multiarray": "multiarray",
    "copy_reg": "copyreg",
    "__builtin__": "builtins",
    "chumpy.ch": "chumpy",
    "scipy.sparse.csc": "scipy.sparse",
    "scipy.sparse._csc": "scipy.sparse",
    "scipy.sparse.csr": "scipy.sparse",
    "scipy.sparse._csr": "scipy.sparse",
}


class RestrictedUnpickler(pickle.Unpickler):
    """An unpickler that knows the names above and refuses every other."""

    def find_class(self, module: str, name: str) -> object:
        """The class or function of that name.

        Raises
        ------
        pickle.UnpicklingError
            It is none of those allowed.
        """
        found = _ALLOWED.get((_HOMES.get(module, module), name))
        if found is None:
            raise pickle.UnpicklingError(f"{module}.{name} is not allowed")
        return found


def read_pickled_arrays(path: str | Path) -> dict[str, np.ndarray]:
    """Read the numeric arrays of a pickled dictionary; sparse ones become dense.

    Entries that are no numbers (names, notes) are left out.

    Raises
    ------
    UserError
        The file is missing, is no pickle of a dictionary, or names anything but arrays.
    """
    path = require_file(path, "body file")
    try:
        with open(path, "rb") as stream:
            content = RestrictedUnpickler(stream, encoding="latin1").load()
        if not isinstance(content, dict):
            raise pickle.UnpicklingError("not a dictionary")
        arrays = {str(name): _to_array(value) for name, value in content.items()}
    except Exception as fault:  # a damaged pickle can raise anything
        raise UserError(f"{path}: not a readable body pickle ({fault})") from fault
    return {name: value for name, value in arrays.items() if value is not None}


def _to_array(value: object) -> np.ndarray | None:
    if isinstance(value, _Chumpy):
        return _to_array(value.fields.get("x"))
    if isinstance(value, _Sparse | _SparseRows):
        fields = value.fields
        shape = fields["_shape"] if "_shape" in fields else fields["shape"]
        rows_first = isinstance(value, _SparseRows)
        dense = np.zeros(shape if rows_first else shape[::-1])
        for line, (start, stop) in enumerate(pairwise(fields["indptr"])):
            np.add.at(dense[line], fields["indices"][start:stop], fields["data"][start:stop])
        return dense if rows_first else dense.T
    if isinstance(value, np.ndarray) and value.dtype.kind in "iufb":
        return value
    return None
