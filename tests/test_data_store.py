import dataclasses

import numpy as np
import pytest

from poseloop.data.store import PoseSet
from poseloop.runtime.errors import UserError
from poseloop.runtime.files import write_npz


def pose_set() -> dict[str, np.ndarray]:
    count, size = 2, 8
    return {
        "input_rgb": np.zeros((count, size, size, 3), np.uint8),
        "input_mask": np.zeros((count, size, size), np.uint8),
        "joints": np.zeros((count, 24, 3), np.float32),
        "metres_per_unit": np.ones(count, np.float32),
        "global_orient": np.zeros((count, 3), np.float32),
        "body_pose": np.zeros((count, 69), np.float32),
        "betas": np.zeros((count, 10), np.float32),
        "clip": np.array(["walk", "punch"]),
        "frame": np.zeros(count, np.int32),
        "body_id": np.zeros(count, np.int32),
        "ordinary": np.zeros(count, bool),
    }


def test_round_trip_and_equal_bytes(tmp_path):
    first, second = tmp_path / "a.npz", tmp_path / "b.npz"
    write_npz(first, pose_set())
    stored = PoseSet.load(first)
    stored.save(second)
    assert first.read_bytes() == second.read_bytes()
    for field in dataclasses.fields(stored):
        assert np.array_equal(getattr(stored, field.name), pose_set()[field.name])


def faulty(name, value):
    return pose_set() | {name: value}


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("joints", np.zeros((2, 22, 3), np.float32), "joints has shape"),
        ("joints", np.full((2, 24, 3), np.nan, np.float32), "joints holds numbers that are not"),
        ("body_pose", np.zeros((3, 69), np.float32), "body_pose has shape"),
        ("input_rgb", np.zeros((2, 8, 8, 3), np.float32), "input_rgb has type float32"),
        ("input_mask", np.zeros((2, 4, 4), np.uint8), "input_mask has shape"),
        ("clip", np.array([b"walk", b"run"]), "clip has type"),
    ],
)
def test_faults_name_file_and_array(tmp_path, name, value, message):
    path = tmp_path / "images.npz"
    write_npz(path, faulty(name, value))
    with pytest.raises(UserError, match=f"images.npz: {message}"):
        PoseSet.load(path)


def test_missing_array_is_named(tmp_path):
    arrays = pose_set()
    del arrays["ordinary"]
    write_npz(tmp_path / "images.npz", arrays)
    with pytest.raises(UserError, match="lacks the array.s. ordinary"):
        PoseSet.load(tmp_path / "images.npz")
