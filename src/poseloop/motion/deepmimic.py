"""The captured clips that the package `pybullet` carries (DeepMimic, Peng et al. 2018).

CMU and SFU motion capture as JSON; only the data files are read, the engine is not imported.
"""

import importlib.util
from pathlib import Path

import roma
import torch
from torch import Tensor

from poseloop.motion.skeleton import SourceMotion
from poseloop.runtime.errors import UserError
from poseloop.runtime.files import read_json
from poseloop.runtime.refusing import refusing

_PREFIX = "humanoid3d_"
_ROW = 44
_HINGE = torch.tensor([0.0, 0.0, 1.0], dtype=torch.float64)

# name, parent, offset from the parent in metres (the figure faces +x, its right is +z), columns
_SKELETON = (
    ("pelvis", None, (0.0, 0.0, 0.0), slice(4, 8)),
    ("chest", "pelvis", (0.0, 0.236151, 0.0), slice(8, 12)),
    ("neck", "chest", (0.0, 0.223894, 0.0), slice(12, 16)),
    ("right_hip", "pelvis", (0.0, 0.0, 0.084887), slice(16, 20)),
    ("right_knee", "right_hip", (0.0, -0.421546, 0.0), slice(20, 21)),
    ("right_ankle", "right_knee", (0.0, -0.40987, 0.0), slice(21, 25)),
    ("right_shoulder", "chest", (-0.02405, 0.2435, 0.18311), slice(25, 29)),
    ("right_elbow", "right_shoulder", (0.0, -0.274788, 0.0), slice(29, 30)),
    ("right_wrist", "right_elbow", (0.0, -0.258947, 0.0), None),
    ("left_hip", "pelvis", (0.0, 0.0, -0.084887), slice(30, 34)),
    ("left_knee", "left_hip", (0.0, -0.421546, 0.0), slice(34, 35)),
    ("left_ankle", "left_knee", (0.0, -0.40987, 0.0), slice(35, 39)),
    ("left_shoulder", "chest", (-0.02405, 0.2435, -0.18311), slice(39, 43)),
    ("left_elbow", "left_shoulder", (0.0, -0.274788, 0.0), slice(43, 44)),
    ("left_wrist", "left_elbow", (0.0, -0.258947, 0.0), None),
)
_NAMES = [name for name, *_ in _SKELETON]


def clip_files(path: str | Path | None) -> dict[str, Path]:
    """Clip names and their files, in `path` or else in the installed package.

    Raises
    ------
    UserError
        The folder holds no clips, or the package is not installed.
    """
    if path is None:
        package = importlib.util.find_spec("pybullet_data")
        if package is None:
            raise UserError("the captured clips are in the package pybullet: pip install pybullet")
        path = Path(package.submodule_search_locations[0]) / "data" / "motions"
    files = sorted(Path(path).glob(f"{_PREFIX}*.txt"))
    if not files:
        raise UserError(f"{path}: no {_PREFIX}*.txt clips there")
    return {file.stem.removeprefix(_PREFIX): file for file in files}


def read_deepmimic(name: str, path: Path) -> SourceMotion:
    """Read one clip.

    Raises
    ------
    UserError
        The file is truncated, has rows of another skeleton, or values that are not finite.
    """
    content = read_json(path)
    frames = content.get("Frames") if isinstance(content, dict) else None
    if not isinstance(frames, list) or len(frames) < 2:
        raise UserError(f"{path}: Frames: needs at least two rows")
    for index, row in enumerate(frames):
        if not isinstance(row, list) or len(row) != _ROW:
            raise UserError(f"{path}: Frames[{index}]: not {_ROW} numbers, another skeleton?")
    with refusing(path, "Frames: not numbers"):
        rows = torch.tensor(frames, dtype=torch.float64).reshape(len(frames), _ROW)
    unusable = ~torch.isfinite(rows).all(1)
    if unusable.any():
        raise UserError(f"{path}: Frames[{int(unusable.nonzero()[0])}]: values that are not finite")
    return SourceMotion(
        name=name,
        times=_times(rows[:, 0], path),
        parents=tuple(
            -1 if parent is None else _NAMES.index(parent) for _, parent, *_ in _SKELETON
        ),
        offsets=torch.tensor([offset for *_, offset, _ in _SKELETON], dtype=torch.float64),
        rotations=torch.stack([_rotation(rows, columns, path) for *_, columns in _SKELETON], dim=1),
        root=rows[:, 1:4],
        joints={name: index for index, name in enumerate(_NAMES) if name != "chest"},
        chest=_NAMES.index("chest"),
        head=_NAMES.index("neck"),
    )


def _times(durations: Tensor, path: Path) -> Tensor:
    """Times of the rows; the last row's duration counts for nothing and is often 0."""
    if (durations[:-1] <= 0).any():
        raise UserError(f"{path}: Frames: a frame's duration (column 0) is not positive")
    return torch.cat([durations.new_zeros(1), durations[:-1].cumsum(0)])


def _rotation(rows: Tensor, columns: slice | None, path: Path) -> Tensor:
    if columns is None:
        return torch.eye(3, dtype=rows.dtype).expand(len(rows), 3, 3)
    values = rows[:, columns]
    if values.shape[1] == 1:
        return roma.rotvec_to_rotmat(values * _HINGE)
    norms = values.norm(dim=1, keepdim=True)
    if not ((norms >= 0.5) & norms.isfinite()).all():
        raise UserError(
            f"{path}: Frames: columns {columns.start}-{columns.stop - 1} hold no rotation"
        )
    return roma.unitquat_to_rotmat(roma.quat_wxyz_to_xyzw(values / norms))
