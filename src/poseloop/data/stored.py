"""Sets of arrays kept in one npz file, checked when read."""

from dataclasses import fields
from pathlib import Path
from typing import ClassVar, Self

import numpy as np

from poseloop.runtime.errors import UserError
from poseloop.runtime.files import read_npz, write_npz

Schema = dict[str, tuple[str, tuple[int | str, ...]]]


class Stored:
    """Base of a dataclass whose fields are the arrays of one file.

    schema : field to NumPy's letter for its kind and to its shape, as `check_arrays` takes them
    """

    schema: ClassVar[Schema]

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read and check a file.

        Raises
        ------
        UserError
            The file is missing or unreadable, or an array is missing, of a wrong shape or type,
            or not finite; the message names the file and the array.
        """
        arrays = read_npz(path, *cls.schema, only=True)
        check_arrays(path, arrays, cls.schema)
        return cls(**arrays)

    def save(self, path: str | Path) -> None:
        """Write the arrays, atomically."""
        write_npz(path, {field.name: getattr(self, field.name) for field in fields(self)})


class StoredRows(Stored):
    """The same where every array is (N, ...), a row for each subject."""

    def __len__(self) -> int:
        return len(getattr(self, fields(self)[0].name))

    def __getitem__(self, rows: np.ndarray | slice) -> Self:
        return type(self)(**{f.name: getattr(self, f.name)[rows] for f in fields(self)})


def check_arrays(path: str | Path, arrays: dict[str, np.ndarray], schema: Schema) -> None:
    """Check arrays against kinds (NumPy's letters) and shapes; equal letters are equal sizes.

    Raises
    ------
    UserError
        An array is of another kind or shape, or is not finite; the message names file and array.
    """
    sizes: dict[str, int] = {}
    for name, (kind, shape) in schema.items():
        array = arrays[name]
        if array.dtype.kind != kind:
            raise UserError(f"{path}: {name} has type {array.dtype}, expected kind {kind!r}")
        expected = tuple(sizes.get(axis, axis) for axis in shape)
        fits = array.ndim == len(expected) and all(
            isinstance(want, str) or want == have
            for want, have in zip(expected, array.shape, strict=True)
        )
        if not fits:
            raise UserError(f"{path}: {name} has shape {array.shape}, expected {expected}")
        sizes.update(
            (axis, have)
            for axis, have in zip(shape, array.shape, strict=True)
            if isinstance(axis, str)
        )
        if kind == "f" and not np.isfinite(array).all():
            raise UserError(f"{path}: {name} holds numbers that are not finite")
