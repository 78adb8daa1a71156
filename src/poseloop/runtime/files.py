"""Reading and writing files: atomic, free of pickle, the same bytes for the same content."""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from poseloop.runtime.archives import read_archive, write_archive
from poseloop.runtime.errors import UserError
from poseloop.runtime.refusing import refusing


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; it takes `path`'s place only if the block succeeds.

    The temporary name keeps the suffix, because some writers choose the format by it.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.stem}.{os.getpid()}.part{path.suffix}")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def require_file(path: str | Path, what: str) -> Path:
    """Return `path` if it is a file.

    Raises
    ------
    UserError
        It is missing or not a file; `what` says what it should have been.
    """
    path = Path(path)
    with refusing(str(path)[:80], f"{what} not found"):  # a name can be too long to ask for
        there = path.is_file()
    if not there:
        raise UserError(f"{path}: {what} not found")
    return path


def write_npz(path: str | Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write arrays as a compressed npz, atomically; equal arrays give equal bytes."""
    with atomic_path(path) as temporary:
        write_archive(temporary, {name: np.asarray(arrays[name]) for name in sorted(arrays)})


def read_npz(path: str | Path, *required: str, only: bool = False) -> dict[str, np.ndarray]:
    """Read the arrays of an npz without unpickling anything: all, or `only` the required ones.

    Raises
    ------
    UserError
        The file is missing, is no npz, holds Python objects, or lacks a `required` array.
    """
    path = require_file(path, "npz file")
    with refusing(path, "not a readable npz file"):
        arrays = read_archive(path, required if only else None)
    missing = [name for name in required if name not in arrays]
    if missing:
        raise UserError(f"{path}: lacks the array(s) {', '.join(missing)}")
    return arrays


def write_json(path: str | Path, value: object) -> None:
    """Write JSON with sorted keys and a final newline, atomically; NaN is refused."""
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(value, indent=1, sort_keys=True, allow_nan=False) + "\n")


def read_json(path: str | Path) -> object:
    """Read a JSON file.

    Raises
    ------
    UserError
        The file is missing or is not JSON.
    """
    path = require_file(path, "JSON file")
    with refusing(path, "not valid JSON"):
        return json.loads(path.read_text())


def write_text(path: str | Path, text: str) -> None:
    """Write text, atomically."""
    with atomic_path(path) as temporary:
        temporary.write_text(text)


def sha256(path: str | Path) -> str:
    """Hex digest of a file's content."""
    with open(path, "rb") as stream:
        digest = hashlib.sha256()
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
