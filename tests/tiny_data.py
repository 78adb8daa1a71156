"""A body, a motion file and configs small enough for tests of the data room."""

import numpy as np
from tiny_body import smpl_arrays

from poseloop.body.files import write_body
from poseloop.body.model import BodyModel, load_body
from poseloop.data.config import ViewSetsConfig
from poseloop.runtime.files import write_npz

SPLITS = {"walk": "train", "punch": "train", "roll": "train", "jump": "val", "kick": "test"}
FRAMES = 24
SIZE = 128


def make_body(folder) -> BodyModel:
    write_body(folder, smpl_arrays())
    return load_body(folder)


def make_clips(path) -> str:
    """Clips whose poses grow from frame to frame, some more than others, and mirrored copies."""
    rng = np.random.default_rng(1)
    parts = []
    for clip, split in SPLITS.items():
        time = np.linspace(0, 1, FRAMES)[:, None]
        size = {"walk": 0.3, "punch": 0.4}.get(clip, 1.0)
        for mirrored in (False, True):
            parts.append(
                {
                    "clip": np.full(FRAMES, clip),
                    "frame": np.arange(FRAMES, dtype=np.int32),
                    "split": np.full(FRAMES, split),
                    "mirrored": np.full(FRAMES, mirrored),
                    "fps": np.full(FRAMES, 30, np.float32),
                    "global_orient": (time * [0.1, 2.0, 0.1]).astype(np.float32),
                    "body_pose": (time * rng.normal(0, size, (1, 69))).astype(np.float32),
                    "transl": np.zeros((FRAMES, 3), np.float32),
                }
            )
    write_npz(path, {name: np.concatenate([part[name] for part in parts]) for name in parts[0]})
    return str(path)


def scans_config(processes=1, **sets) -> ViewSetsConfig:
    return ViewSetsConfig.model_validate(
        {
            "processes": processes,
            "picture": {"size": SIZE, "supersample": 1},
            "sets": sets or {"train": view_set()},
        }
    )


def view_set(stream="train", subjects=6, **changes) -> dict:
    entry = {
        "subjects": subjects,
        "motion": {"clips": {"walk": 1, "punch": 1}, "joint_noise": 5, "recombine": 0.3, "yaw": 45},
        # Larger shapes would turn the tiny body's blocks inside out.
        "people": {"stream": stream, "bodies": 4, "shape": 0.2},
    }
    return {**entry, **changes}
