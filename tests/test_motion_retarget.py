"""Retargeting, checked by forward kinematics of both skeletons."""

import importlib.util

import numpy as np
import pytest
import torch
from tiny_body import rest_joints
from tiny_motion import bvh_text, deepmimic_rows, rest_row, write_deepmimic

from poseloop.body.joints import JOINT, LEFT_RIGHT, MIRROR
from poseloop.body.kinematics import forward_kinematics
from poseloop.motion.clip import Clip
from poseloop.motion.config import SourceConfig
from poseloop.motion.sources import read_clips
from poseloop.motion.verify import retarget_error

REST = rest_joints()


def joints_of(clip: Clip) -> np.ndarray:
    pose = (torch.from_numpy(a).double() for a in (clip.global_orient, clip.body_pose))
    return forward_kinematics(*pose, torch.from_numpy(REST)).numpy() + clip.transl[:, None]


def deepmimic(folder, rows) -> Clip:
    (clip,) = read_clips(
        SourceConfig(kind="deepmimic", path=str(write_deepmimic(folder, {"clip": rows}))), REST
    )
    return clip


def bvh(folder, text) -> Clip:
    path = folder / "clip.bvh"
    path.write_text(text)
    (clip,) = read_clips(SourceConfig(kind="bvh", path=str(path)), REST)
    return clip


def test_figure_at_rest_stands_upright_facing_z(tmp_path):
    clip = deepmimic(tmp_path, [rest_row()] * 2)
    joints = joints_of(clip)[0]
    assert np.allclose(clip.global_orient, 0)
    for left, right in LEFT_RIGHT:
        assert joints[left, 0] > 0 > joints[right, 0]
    shoulder, wrist = JOINT["left_shoulder"], JOINT["left_wrist"]
    assert np.allclose(joints[wrist] - joints[shoulder], [0, -0.53, 0], atol=1e-6)
    assert joints[JOINT["left_foot"], 2] > joints[JOINT["left_ankle"], 2] + 0.05
    assert joints[JOINT["head"], 1] > joints[JOINT["neck"], 1]


@pytest.mark.parametrize(
    ("column", "angle", "joint", "forward"),
    [(20, -1.0, "right_ankle", -1), (34, -1.0, "left_ankle", -1), (29, 1.0, "right_wrist", 1)],
)
def test_knees_bend_back_and_elbows_forward(tmp_path, column, angle, joint, forward):
    row = rest_row()
    row[column] = angle
    bent = joints_of(deepmimic(tmp_path, [row, rest_row()]))
    moved = bent[0] - bent[1]
    assert forward * moved[JOINT[joint], 2] > 0.1
    assert abs(moved[MIRROR[JOINT[joint]]]).max() < 1e-6


def test_deepmimic_directions(tmp_path):
    error = retarget_error(deepmimic(tmp_path, deepmimic_rows(50)), REST)
    assert error["limb_deg_max"] < 0.01
    assert error["limb_mm_max"] < 0.1
    assert error["trunk_deg_mean"] < 8  # random spines bend more than people's


@pytest.mark.parametrize("arms", ["down", "spread"])
def test_bvh_directions_whatever_the_rest_pose(tmp_path, arms):
    clip = bvh(tmp_path, bvh_text(50, arms))
    error = retarget_error(clip, REST)
    assert error["limb_deg_max"] < 0.01
    leg = np.linalg.norm(np.diff(clip.source_joints[0, [1, 4, 7]], axis=0), axis=1).sum()
    assert leg == pytest.approx(
        np.linalg.norm(np.diff(REST[[1, 4, 7]], axis=0), axis=1).sum(), rel=0.01
    )


def test_axes_are_read_off_the_rest_pose(tmp_path):
    """The same motion, written with z up and x forward, gives the same pose."""
    text = bvh_text(4, degrees=0)
    lines = text.splitlines()
    for index, line in enumerate(lines):
        if line.startswith("OFFSET"):
            x, y, z = line.split()[1:]
            lines[index] = f"OFFSET {z} {x} {y}"
    turned = "\n".join(lines) + "\n"
    (tmp_path / "turned").mkdir()
    plain, other = bvh(tmp_path, text), bvh(tmp_path / "turned", turned)
    assert np.allclose(plain.body_pose, other.body_pose, atol=1e-6)
    assert np.allclose(other.global_orient, 0, atol=1e-6)


def test_error_shows_a_wrong_joint(tmp_path):
    clip = deepmimic(tmp_path, deepmimic_rows(10))
    swapped = clip.body_pose.reshape(-1, 23, 3)[:, np.array(MIRROR[1:]) - 1].reshape(-1, 69)
    wrong = Clip(
        clip.name, clip.times, clip.global_orient, swapped, clip.transl, clip.source_joints
    )
    assert retarget_error(wrong, REST)["limb_deg_mean"] > 10


@pytest.mark.skipif(
    importlib.util.find_spec("pybullet_data") is None, reason="needs the pybullet wheel"
)
def test_captured_clips():
    clips = {clip.name: clip for clip in read_clips(SourceConfig(kind="deepmimic"), REST)}
    assert len(clips) == 15
    assert sum(map(len, clips.values())) == 1620
    for clip in clips.values():
        error = retarget_error(clip, REST)
        assert error["limb_deg_max"] < 3
        assert error["trunk_deg_mean"] < 3
    # Upside down in a cartwheel with the legs apart, lying in a crawl, upright in a walk.
    up = {
        name: joints_of(clip)[:, JOINT["neck"]] - joints_of(clip)[:, 0]
        for name, clip in clips.items()
    }
    assert up["cartwheel"][:, 1].min() < -0.3
    assert up["crawl"][:, 1].max() < 0.4
    assert up["walk"][:, 1].min() > 0.4
    # A walker goes where he faces.
    walk = clips["walk"]
    assert walk.transl[-1, 2] - walk.transl[0, 2] > 0.5
