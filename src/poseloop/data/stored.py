"""Sets of arrays that share their rows, kept in one checked npz file."""

from dataclasses import fields
from pathlib import Path
from typing import ClassVar, Self

import numpy as np

from poseloop.data.store import check_arrays
from poseloop.runtime.files import read_npz, write_npz

Schema = dict[str, tuple[str, tuple[int | str, ...]]]


class StoredRows:
    """Base of a dataclass whose fields are arrays (N, ...) of one file.

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

    def __len__(self) -> int:
        return len(getattr(self, fields(self)[0].name))

    def __getitem__(self, rows: np.ndarray | slice) -> Self:
        return type(self)(**{f.name: getattr(self, f.name)[rows] for f in fields(self)})
