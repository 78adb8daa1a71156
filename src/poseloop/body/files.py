"""Reading any SMPL-family file as SMPL arrays, and writing them as smplx reads them."""

import pickle
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from poseloop.body.collapse import JOINT_COUNTS, collapse
from poseloop.body.joints import PARENTS
from poseloop.body.regions import REGIONS, part_ids, region_ids
from poseloop.body.safe_pickle import read_pickled_arrays
from poseloop.runtime.archives import read_archive
from poseloop.runtime.errors import UserError
from poseloop.runtime.files import atomic_path, write_npz
from poseloop.runtime.refusing import refusing

_MODEL_ARRAYS = ("v_template", "shapedirs", "posedirs", "J_regressor", "weights", "kintree_table")


def write_body(folder: str | Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write `smpl/SMPL_NEUTRAL.npz` and the pickle beside it that `smplx.create` reads."""
    stem = Path(folder) / "smpl" / "SMPL_NEUTRAL"
    write_npz(stem.with_suffix(".npz"), arrays)
    ordered = {name: np.ascontiguousarray(arrays[name]) for name in sorted(arrays)}
    with atomic_path(stem.with_suffix(".pkl")) as temporary, open(temporary, "wb") as stream:
        pickle.dump(ordered, stream, protocol=4)


def read_body(path: str | Path, model_type: str = "smpl", betas: int = 10) -> dict[str, np.ndarray]:
    """Read a body file, check it, and bring it to SMPL's 24 joints.

    Parameters
    ----------
    path
        The npz or pickle, or a folder laid out as `smplx.create` expects it:
        `<model_type>/<MODEL>_NEUTRAL.npz` (or `.pkl`). Pickles pass the restricted reader.
    model_type
        "smpl", "smplh" or "smplx".
    betas
        Shape directions to keep.

    Returns
    -------
    dict
        v_template (V, 3), shapedirs (V, 3, K), posedirs (V, 3, 207), J_regressor (24, V),
        weights (V, 24), all f32; f (F, 3) u32, kintree_table (2, 24) i64; parts and regions
        (V,) i8, from the file or else derived from the weights.

    Raises
    ------
    UserError
        The file is missing or unreadable, or an array is missing, of the wrong shape or not
        finite; the message names file and array.
    """
    path = _locate(Path(path), model_type)
    arrays = read_pickled_arrays(path) if path.suffix == ".pkl" else _read_arrays(path)
    _check(path, arrays, JOINT_COUNTS[model_type])
    arrays = collapse(arrays, model_type)
    body = {name: arrays[name].astype(np.float32) for name in _MODEL_ARRAYS[:-1]}
    body["shapedirs"] = body["shapedirs"][..., :betas]
    body["f"] = arrays["f"].astype(np.uint32)
    body["kintree_table"] = arrays["kintree_table"].astype(np.int64)
    body["parts"] = arrays.get("parts", part_ids(body["weights"])).astype(np.int8)
    derived = region_ids(body["v_template"], body["parts"])
    body["regions"] = arrays.get("regions", derived).astype(np.int8)
    return body


def _locate(path: Path, model_type: str) -> Path:
    if path.is_file():
        return path
    stem = path / model_type / f"{model_type.upper()}_NEUTRAL"
    for suffix in (".npz", ".pkl"):
        if stem.with_suffix(suffix).is_file():
            return stem.with_suffix(suffix)
    raise UserError(f"{stem}.npz: body file not found (nor .pkl); set `path` in body.yaml")


def _read_arrays(path: Path) -> dict[str, np.ndarray]:
    """The model's arrays of an npz; SMPL-X files hold Python objects too, which stay unread."""
    wanted = (*_MODEL_ARRAYS, "f", "parts", "regions")
    with refusing(path, "not a readable body file"):
        return read_archive(path, wanted)


def _check(path: Path, arrays: Mapping[str, np.ndarray], joints: int) -> None:
    missing = [name for name in (*_MODEL_ARRAYS, "f") if name not in arrays]
    if missing:
        raise UserError(f"{path}: lacks the array(s) {', '.join(missing)}")
    count = arrays["v_template"].size // 3
    shapes = {
        "v_template": (count, 3),
        "shapedirs": (count, 3, None),
        "posedirs": (count, 3, 9 * (joints - 1)),
        "J_regressor": (joints, count),
        "weights": (count, joints),
        "kintree_table": (2, joints),
        "f": (None, 3),
    }
    for name, expected in shapes.items():
        shape = arrays[name].shape
        fits = len(shape) == len(expected) and all(
            wanted in (None, size) for size, wanted in zip(shape, expected, strict=True)
        )
        if not fits:
            wanted = ", ".join("any" if size is None else str(size) for size in expected)
            raise UserError(f"{path}: {name} has the shape {shape}, expected ({wanted})")
        if arrays[name].dtype.kind not in "iufb":
            raise UserError(f"{path}: {name} holds {arrays[name].dtype}, no numbers")
        if not np.isfinite(arrays[name].astype(np.float32)).all():
            raise UserError(f"{path}: {name} has values that are not finite")
    for name, kinds in (("parts", 24), ("regions", len(REGIONS))):
        if name in arrays and arrays[name].shape != (count,):
            raise UserError(f"{path}: {name} has the shape {arrays[name].shape}, not ({count},)")
        if name in arrays and not _below(arrays[name], kinds):
            raise UserError(f"{path}: {name} has numbers that are not from 0 to {kinds - 1}")
    if not _below(arrays["f"], count):
        raise UserError(f"{path}: f names vertices that do not exist")
    if tuple(arrays["kintree_table"][0, 1:22].astype(np.int64)) != PARENTS[1:22]:
        raise UserError(f"{path}: kintree_table is not SMPL's tree of joints")


def _below(array: np.ndarray, limit: int) -> bool:
    """Whether all entries are indices into something of `limit` entries."""
    numbers = array.dtype.kind in "iufb"
    return numbers and bool(array.min(initial=0) >= 0 and array.max(initial=0) < limit)
