"""3DPW: sequenceFiles/<split>/<sequence>.pkl and imageFiles/<sequence>/image_00000.jpg."""

from pathlib import Path

import numpy as np

from poseloop.posegen.real.crops import Collector, RealImages, box_of, inside
from poseloop.posegen.real.pickles import read_pickle
from poseloop.runtime.errors import UserError
from poseloop.runtime.refusing import refusing

_FIELDS = ("jointPositions", "cam_poses", "cam_intrinsics", "campose_valid", "img_frame_ids")


def read_threedpw(folder: str | Path, split: str, size: int, every: int = 1) -> RealImages:
    """People of one split with SMPL's 24 joints.

    Frames whose camera is marked as not valid are left out.

    Parameters
    ----------
    split : str
        `train`, `validation` or `test`.
    size : int
        Pixels of a crop.
    every : int
        Frames to step by.

    Raises
    ------
    UserError
        Folder, sequences, fields or pictures are missing or faulty.
    """
    folder = Path(folder)
    files = sorted((folder / "sequenceFiles" / split).glob("*.pkl"))
    if not files:
        raise UserError(f"{folder}: no sequenceFiles/{split}/*.pkl")
    collector = Collector(size, range(24))
    for file in files:
        content = read_pickle(file)
        missing = [n for n in _FIELDS if not isinstance(content, dict) or n not in content]
        if missing:
            raise UserError(f"{file}: lacks {', '.join(missing)}")
        with refusing(file, "not a sequence of 3DPW"):
            _collect(collector, folder, file, content, every)
    return collector.finish(folder)


def _collect(collector: Collector, folder: Path, file: Path, content: dict, every: int) -> None:
    """Add the people of one sequence."""
    focal = np.asarray(content["cam_intrinsics"], float)
    poses = np.asarray(content["cam_poses"], float)
    if focal.shape != (3, 3) or poses.ndim != 3 or poses.shape[1:] != (4, 4):
        raise UserError(f"{file}: cam_intrinsics or cam_poses have another shape")
    for joints, valid in zip(content["jointPositions"], content["campose_valid"], strict=True):
        world = np.asarray(joints, float).reshape(-1, 24, 3)
        if not len(world) == len(valid) == len(poses):
            raise UserError(f"{file}: joints, cameras and campose_valid differ in length")
        for frame in range(0, len(world), every):
            if not valid[frame]:
                continue
            seen = world[frame] @ poses[frame, :3, :3].T + poses[frame, :3, 3]
            pixels = seen @ focal.T
            pixels = pixels[:, :2] / pixels[:, 2:]
            number = int(content["img_frame_ids"][frame])
            # The folder is called as the file is, whatever the file says of itself.
            name = f"{file.stem}/image_{number:05d}.jpg"
            path = inside(folder / "imageFiles", name, file)
            collector.add(path, seen, box_of(pixels))
