"""MPI-INF-3DHP's test set in SPIN's layout: mpi_inf_3dhp_valid.npz beside the pictures."""

from pathlib import Path

from poseloop.posegen.real.crops import Collector, RealImages, inside
from poseloop.runtime.errors import UserError
from poseloop.runtime.files import read_npz

# Rows of SPIN's 24 evaluation joints, pelvis first, and the SMPL joints that they are: hips, knees,
# ankles, shoulders, elbows, wrists, neck.
_ROWS = (14, 3, 2, 4, 1, 5, 0, 9, 8, 10, 7, 11, 6, 12)
_SMPL = (0, 1, 2, 4, 5, 7, 8, 16, 17, 18, 19, 20, 21, 12)
_SCALE_PIXELS = 200


def read_mpi_inf_3dhp(folder: str | Path, size: int, every: int = 1) -> RealImages:
    """People of the test set with 14 joints.

    Pictures are named by `imgname` relative to the folder; `center` (N, 2) and `scale` (N,) give
    the box (its side is scale x 200 pixels), `S` (N, 24, 4) the joints in metres, camera frame,
    with a confidence.

    Raises
    ------
    UserError
        The file or a picture is missing, or an array is of another shape.
    """
    file = Path(folder) / "mpi_inf_3dhp_valid.npz"
    arrays = read_npz(file, "imgname", "center", "scale", "S")
    count = arrays["imgname"].size
    shapes = {"imgname": (count,), "center": (count, 2), "scale": (count,), "S": (count, 24, 4)}
    for name, shape in shapes.items():
        if arrays[name].shape != shape:
            raise UserError(f"{file}: {name} has the shape {arrays[name].shape}, not {shape}")
        if (arrays[name].dtype.kind not in "iuf") == (name != "imgname"):
            raise UserError(f"{file}: {name} has the type {arrays[name].dtype}")
    collector = Collector(size, _SMPL)
    for row in range(0, count, every):
        joints = arrays["S"][row, list(_ROWS)]
        if (joints[:, 3] <= 0).any():
            continue
        x, y = arrays["center"][row]
        path = inside(Path(folder), str(arrays["imgname"][row]), file)
        side = float(arrays["scale"][row]) * _SCALE_PIXELS
        collector.add(path, joints[:, :3].astype(float), (float(x), float(y), side))
    return collector.finish(file)
