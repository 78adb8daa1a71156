"""Read a licensed SMPL pickle without running anything that it names.

Unpickling calls whatever functions a file asks for. `body.unpickler` knows a few names of NumPy and
Python, keeps chumpy and SciPy objects as plain records of their fields, and refuses all else.
"""

import pickle
from itertools import pairwise
from pathlib import Path

import numpy as np

from poseloop.body.stand_ins import Chumpy, Sparse, SparseRows
from poseloop.body.unpickler import RestrictedUnpickler
from poseloop.runtime.errors import UserError
from poseloop.runtime.files import require_file

# Entries of a sparse matrix once it is dense: SMPL-X's regressor has 6e5.
_LARGEST_DENSE = 50_000_000


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
    if isinstance(value, Chumpy):
        return _to_array(value.fields.get("x"))
    if isinstance(value, Sparse | SparseRows):
        fields = value.fields
        shape = fields["_shape"] if "_shape" in fields else fields["shape"]
        rows_first = isinstance(value, SparseRows)
        lines, width = shape if rows_first else shape[::-1]
        if len(fields["indptr"]) != lines + 1 or lines * width > _LARGEST_DENSE:
            raise pickle.UnpicklingError(f"a sparse matrix of the shape {shape!r:.60}")
        dense = np.zeros((lines, width))
        for line, (start, stop) in enumerate(pairwise(fields["indptr"])):
            np.add.at(dense[line], fields["indices"][start:stop], fields["data"][start:stop])
        return dense if rows_first else dense.T
    if isinstance(value, np.ndarray) and value.dtype.kind in "iufb":
        return np.asarray(value)
    return None
