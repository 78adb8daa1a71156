"""SKI-PosePTZ: <split>/labels.h5 and <split>/seq_000/cam_00/image_000000.png, 256 px crops."""

from pathlib import Path

import numpy as np

from poseloop.posegen.real.crops import Collector, RealImages, inside
from poseloop.runtime.errors import UserError
from poseloop.runtime.files import read_npz, require_file
from poseloop.runtime.refusing import refusing

# Of its 17 joints in Human3.6M's order: hip, right and left legs, neck, left and right arms.
_ROWS = (0, 4, 1, 5, 2, 6, 3, 11, 14, 12, 15, 13, 16, 8)
_SMPL = (0, 1, 2, 4, 5, 7, 8, 16, 17, 18, 19, 20, 21, 12)
_FIELDS = ("seq", "cam", "frame", "3D")


def read_ski_pose(folder: str | Path, split: str, size: int, every: int = 1) -> RealImages:
    """People of one split with 14 joints.

    `labels.h5` needs the package h5py; the same arrays as `labels.npz` do without.

    Raises
    ------
    UserError
        The labels or a picture are missing, an array is of another shape, or h5py is.
    """
    folder = Path(folder) / split
    file = folder / "labels.npz"
    labels = read_npz(file, *_FIELDS) if file.is_file() else _read_h5(folder / "labels.h5")
    count, joints = labels["seq"].size, labels["3D"]
    for name in _FIELDS:
        shape = (count, 51) if name == "3D" else (count,)
        if labels[name].shape != shape:
            raise UserError(
                f"{folder}: labels: {name} has the shape {labels[name].shape}, not {shape}"
            )
        if labels[name].dtype.kind not in "iuf" or not np.isfinite(labels[name]).all():
            raise UserError(f"{folder}: labels: {name} has values that are not finite numbers")
    collector = Collector(size, _SMPL)
    for row in range(0, count, every):
        seq, cam, frame = (int(labels[name][row]) for name in ("seq", "cam", "frame"))
        name = f"seq_{seq:03d}/cam_{cam:02d}/image_{frame:06d}.png"
        path = inside(folder, name, folder / "labels.h5")
        points = joints[row].reshape(17, 3)[list(_ROWS)].astype(float)
        collector.add(path, points, (128.0, 128.0, 256.0))
    return collector.finish(folder)


def _read_h5(file: Path) -> dict[str, np.ndarray]:
    require_file(file, "labels of SKI-PosePTZ (nor labels.npz)")
    try:
        import h5py
    except ImportError as fault:
        raise UserError(
            f"{file}: needs the package h5py (pip install h5py), or the arrays "
            f"{', '.join(_FIELDS)} as labels.npz beside it"
        ) from fault
    with refusing(file, "not the labels of SKI-PosePTZ"), h5py.File(file, "r") as archive:
        return {name: np.asarray(archive[name]) for name in _FIELDS}
