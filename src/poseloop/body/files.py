"""Writing a body as smplx reads it."""

import pickle
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from poseloop.runtime.files import atomic_path, write_npz


def write_body(folder: str | Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write `smpl/SMPL_NEUTRAL.npz` and the pickle beside it that `smplx.create` reads."""
    stem = Path(folder) / "smpl" / "SMPL_NEUTRAL"
    write_npz(stem.with_suffix(".npz"), arrays)
    ordered = {name: np.ascontiguousarray(arrays[name]) for name in sorted(arrays)}
    with atomic_path(stem.with_suffix(".pkl")) as temporary, open(temporary, "wb") as stream:
        pickle.dump(ordered, stream, protocol=4)
