"""Readers of every format, and what they say of faulty files."""

import json
import math

import numpy as np
import pytest
from tiny_body import rest_joints
from tiny_motion import bvh_text, deepmimic_rows, rest_row, write_deepmimic

from poseloop.motion.bvh import read_bvh
from poseloop.motion.config import SourceConfig
from poseloop.motion.sources import read_clips
from poseloop.runtime.errors import UserError

REST = rest_joints()


def read(kind, path, **more):
    return read_clips(SourceConfig(kind=kind, path=str(path), **more), REST)


def amass(folder, **changes):
    rng = np.random.default_rng(0)
    arrays = {
        "poses": rng.normal(0, 0.3, (4, 156)),
        "trans": np.tile([0.0, 0.0, 0.9], (4, 1)),
        "mocap_framerate": np.array(120.0),
        "gender": np.array("male"),
        "betas": np.zeros(16),
        **changes,
    }
    path = folder / "walk.npz"
    np.savez(path, **{name: value for name, value in arrays.items() if value is not None})
    return path


def test_deepmimic_clips_by_name(tmp_path):
    clips = {"walk": deepmimic_rows(5), "kick": deepmimic_rows(4, seed=1)}
    found = read("deepmimic", write_deepmimic(tmp_path, clips))
    assert [(clip.name, len(clip)) for clip in found] == [("kick", 4), ("walk", 5)]
    assert found[0].fps == pytest.approx(30)
    assert found[0].body_pose.shape == (4, 69)
    assert [clip.name for clip in read("deepmimic", tmp_path, clips=["walk"])] == ["walk"]


def test_deepmimic_times_are_sums_of_durations(tmp_path):
    rows = deepmimic_rows(4)
    for row, duration in zip(rows, (0.1, 0.2, 0.1, 0.0), strict=True):
        row[0] = duration
    (clip,) = read("deepmimic", write_deepmimic(tmp_path, {"roll": rows}))
    assert np.allclose(clip.times, [0, 0.1, 0.3, 0.4])


def test_bvh_rotation_order_and_root_path(tmp_path):
    text = bvh_text(frames=2, degrees=0)
    head, values = text.split("0.0083333\n")
    first, second = values.splitlines()
    numbers = second.split()
    numbers[:6] = ["1", "2", "3", "90", "90", "0"]  # positions, then z, y, x
    path = tmp_path / "clip.bvh"
    path.write_text(f"{head}0.0083333\n{first}\n{' '.join(numbers)}\n")
    motion = read_bvh("clip", path)
    rotations, positions = motion.forward()
    assert positions[1, 0].tolist() == [1, 2, 3]
    # Rz(90) Ry(90) takes x to -z and then leaves it; takes z to x and then to y.
    assert np.allclose(rotations[1, 0], [[0, -1, 0], [0, 0, 1], [-1, 0, 0]])
    assert motion.chest == motion.parents[motion.joints["neck"]]


def test_bvh_may_skip_a_leading_t_pose(tmp_path):
    path = tmp_path / "clip.bvh"
    path.write_text(bvh_text(frames=5))
    (whole,), (later,) = read("bvh", path), read("bvh", path, first_frame=1)
    assert np.array_equal(whole.body_pose[1:], later.body_pose)


def test_bvh_shoulder_is_a_collar_beside_an_arm(tmp_path):
    path = tmp_path / "clip.bvh"
    text = bvh_text().replace("LeftShoulder", "LeftArm").replace("LeftCollar", "LeftShoulder")
    path.write_text(text)
    plain = tmp_path / "plain.bvh"
    plain.write_text(bvh_text())
    assert read_bvh("a", path).joints == read_bvh("b", plain).joints


def test_amass_turns_z_up_to_y_up(tmp_path):
    poses = np.zeros((3, 156))
    poses[:, 0] = math.pi / 2  # SMPL upright in a world with z up
    path = amass(tmp_path, poses=poses, trans=np.tile([1.0, 2.0, 3.0], (3, 1)))
    (clip,) = read("amass", path)
    assert np.allclose(clip.global_orient, 0, atol=1e-6)
    assert np.allclose(clip.transl, [1, 3, -2])
    assert clip.fps == pytest.approx(120)
    (untouched,) = read("amass", path, up="y")
    assert np.allclose(untouched.global_orient, poses[:, :3])


def test_amass_smplx_layout(tmp_path):
    poses = np.random.default_rng(0).normal(0, 0.3, (4, 66))
    path = amass(
        tmp_path,
        poses=None,
        root_orient=poses[:, :3],
        pose_body=poses[:, 3:],
        mocap_framerate=None,
        mocap_frame_rate=np.array(60.0),
    )
    (clip,) = read("amass", path)
    assert np.allclose(clip.body_pose[:, :63], poses[:, 3:])
    assert not clip.body_pose[:, 63:].any()
    assert clip.fps == pytest.approx(60)


def test_motionx_columns(tmp_path):
    frames = np.random.default_rng(0).normal(0, 0.3, (5, 322)).astype(np.float32)
    (tmp_path / "dance").mkdir()
    np.save(tmp_path / "dance" / "a.npy", frames)
    (clip,) = read("motionx", tmp_path)
    assert clip.name == "dance/a"
    assert np.allclose(clip.global_orient, frames[:, :3])
    assert np.allclose(clip.body_pose[:, :63], frames[:, 3:66])
    assert np.allclose(clip.transl, frames[:, 309:312])
    assert clip.fps == pytest.approx(30)


def fault_of(kind, path, **more) -> str:
    with pytest.raises(UserError) as fault:
        read(kind, path, **more)
    return str(fault.value)


def test_missing_clips_and_folders(tmp_path):
    assert "no humanoid3d_*.txt clips" in fault_of("deepmimic", tmp_path)
    assert "sources.path" in fault_of("bvh", tmp_path)
    write_deepmimic(tmp_path, {"walk": deepmimic_rows()})
    assert "no clip waltz among" in fault_of("deepmimic", tmp_path, clips=["walk", "waltz"])


@pytest.mark.parametrize(
    ("rows", "named"),
    [
        ([rest_row(), rest_row()[:-1]], "Frames[1]"),
        ([rest_row()], "at least two"),
        ([rest_row(), [*rest_row()[:-1], math.nan]], "Frames[1]: values that are not finite"),
        ([rest_row(), [*rest_row()[:-1], "x"]], "not numbers"),
        ([[0.1, *[0.0] * 43]] * 2, "columns 4-7"),
        ([[0.0, *rest_row()[1:]], rest_row()], "column 0"),
    ],
)
def test_faulty_deepmimic_rows(tmp_path, rows, named):
    write_deepmimic(tmp_path, {"bad": rows})
    message = fault_of("deepmimic", tmp_path)
    assert "humanoid3d_bad.txt" in message
    assert named in message


def test_truncated_deepmimic_file(tmp_path):
    text = json.dumps({"Frames": deepmimic_rows()})
    (tmp_path / "humanoid3d_bad.txt").write_text(text[: len(text) // 2])
    assert "not valid JSON" in fault_of("deepmimic", tmp_path)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda text: text[: len(text) // 2], "truncated or malformed"),
        (lambda text: text[:-40], "frames need"),
        (lambda text: text.replace("LeftKnee", "LeftJoint"), "no left_knee"),
        (lambda text: text[: text.rindex(" ")] + " nan\n", "frame 4: values that are not finite"),
        (lambda text: "HELLO" + text, "HIERARCHY"),
        (lambda text: text.replace("Frames: 5", "Frames: five"), "malformed"),
        (lambda text: text.replace("0.0083333", "0"), "Frame Time"),
        (lambda text: "", "malformed"),
    ],
)
def test_faulty_bvh(tmp_path, change, named):
    path = tmp_path / "bad.bvh"
    path.write_text(change(bvh_text()))
    message = fault_of("bvh", path)
    assert str(path) in message
    assert named in message


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"poses": None}, "poses"),
        ({"poses": np.zeros((4, 100))}, "poses"),
        ({"poses": np.full((4, 156), np.nan)}, "poses has values that are not finite"),
        ({"trans": None}, "trans"),
        ({"trans": np.zeros((3, 3))}, "trans"),
        ({"mocap_framerate": None}, "frame rate"),
    ],
)
def test_faulty_amass(tmp_path, changes, named):
    path = amass(tmp_path, **changes)
    message = fault_of("amass", path)
    assert str(path) in message
    assert named in message


def test_faulty_motionx_and_truncated_archives(tmp_path):
    np.save(tmp_path / "bad.npy", np.zeros((4, 300)))
    assert "(4, 300)" in fault_of("motionx", tmp_path / "bad.npy")
    np.save(tmp_path / "bad.npy", np.array([{"pickled": "object"}]), allow_pickle=True)
    assert "not a readable Motion-X file" in fault_of("motionx", tmp_path / "bad.npy")
    path = amass(tmp_path)
    path.write_bytes(path.read_bytes()[:-500])
    assert "not a readable AMASS npz" in fault_of("amass", path)
