"""Mirror, heading, recombination, noise and in-betweens."""

import numpy as np
import pytest
import roma
import torch
from tiny_body import rest_joints

from poseloop.body.joints import JOINT, MIRROR
from poseloop.body.kinematics import forward_kinematics
from poseloop.motion.augment import (
    LOWER_BODY,
    agreeing_pairs,
    measured_range,
    mirror_pose,
    perturb,
    recombine,
    remove_heading,
    resample,
)
from poseloop.motion.clip import Clip

REST = torch.from_numpy(rest_joints()).float()


def random_poses(count: int = 20, seed: int = 0, scale: float = 0.5):
    rng = np.random.default_rng(seed)
    draw = rng.normal(0, scale, (count, 72)).astype(np.float32)
    return draw[:, :3], draw[:, 3:]


def joints_of(orient, pose) -> np.ndarray:
    return forward_kinematics(torch.from_numpy(orient), torch.from_numpy(pose), REST).numpy()


def test_mirror_is_an_involution_and_mirrors_joints():
    orient, pose = random_poses()
    mirrored = mirror_pose(orient, pose)
    again = mirror_pose(*mirrored)
    assert np.array_equal(again[0], orient)
    assert np.array_equal(again[1], pose)
    expected = joints_of(orient, pose)[:, list(MIRROR)] * [-1, 1, 1]
    assert np.allclose(joints_of(*mirrored), expected, atol=1e-5)


def test_heading_is_taken_off_and_given_back():
    orient, _ = random_poses(100, scale=1.5)
    upright, yaw = remove_heading(orient)
    back = roma.rotvec_composition(
        [torch.tensor([0.0, 1, 0]) * torch.from_numpy(yaw)[:, None], torch.from_numpy(upright)]
    )
    difference = roma.rotvec_geodesic_distance(back, torch.from_numpy(orient))
    assert difference.max() < 1e-3
    assert np.abs(yaw).max() <= np.pi + 1e-6
    assert np.allclose(remove_heading(upright)[1], 0, atol=1e-3)


def test_heading_of_upright_and_lying_bodies():
    turn = np.array([[0, 1.2, 0], [-np.pi / 2, 0, 0]], np.float32)
    upright, yaw = remove_heading(turn)
    assert np.allclose(yaw, [1.2, 0], atol=1e-6)
    assert np.allclose(upright, [[0, 0, 0], [-np.pi / 2, 0, 0]], atol=1e-6)


def test_heading_does_not_change_the_rest():
    orient, _ = random_poses(50)
    about_y = torch.tensor([[0.0, 2.5, 0]]).expand(50, 3)
    turned = roma.rotvec_composition([about_y, torch.from_numpy(orient)]).numpy()
    assert np.allclose(remove_heading(turned)[0], remove_heading(orient)[0], atol=1e-4)


def test_recombine_takes_legs_and_trunk():
    lower, upper = random_poses(3), random_poses(3, seed=1)
    orient, pose = recombine(lower, upper)
    legs = np.isin(np.arange(1, 24), LOWER_BODY)
    joints = pose.reshape(3, 23, 3)
    assert len(LOWER_BODY) == 8
    assert np.array_equal(orient, lower[0])
    assert np.array_equal(joints[:, legs], lower[1].reshape(3, 23, 3)[:, legs])
    assert np.array_equal(joints[:, ~legs], upper[1].reshape(3, 23, 3)[:, ~legs])


def test_trunks_agree_whatever_the_heading():
    lower = (np.zeros((1, 3), np.float32), np.zeros((1, 69), np.float32))
    orient = np.array([[0, 2, 0], [0.1, 0, 0], [0.6, 0, 0], [0, 0, 0]], np.float32)
    pose = np.zeros((4, 69), np.float32)
    pose[3, 3 * (JOINT["spine1"] - 1)] = 0.6  # pelvis agrees, chest does not
    assert agreeing_pairs(lower, (orient, pose), 15).tolist() == [[0, 0], [0, 1]]


def test_noise_has_the_size_asked_for_and_keeps_to_limits():
    _, pose = random_poses(400, scale=0.3)
    noisy = perturb(pose, np.random.default_rng(0), 4.0)
    angle = roma.rotvec_geodesic_distance(
        torch.from_numpy(pose.reshape(-1, 3)), torch.from_numpy(noisy.reshape(-1, 3))
    )
    # Length of a vector of three normal numbers: sqrt(8 / pi) standard deviations.
    assert torch.rad2deg(angle).mean() == pytest.approx(4 * np.sqrt(8 / np.pi), rel=0.03)
    assert np.array_equal(noisy, perturb(pose, np.random.default_rng(0), 4.0))
    low, high = measured_range(pose)
    kept = perturb(pose, np.random.default_rng(0), 40.0, (low, high))
    assert (kept >= low).all()
    assert (kept <= high).all()
    assert (perturb(pose, np.random.default_rng(0), 40.0) > high).any()


def test_in_betweens_halve_the_turn():
    orient = np.array([[0, 0, 0], [0, 1, 0], [0, 1, 0.0]], np.float32)
    transl = np.array([[0, 0, 0], [1, 0, 0], [3, 0, 0.0]], np.float32)
    clip = Clip("c", np.array([0, 0.1, 0.3]), orient, np.zeros((3, 69), np.float32), transl)
    dense = resample(clip, 20)
    assert len(dense) == 7
    assert dense.fps == pytest.approx(20)
    assert np.allclose(dense.global_orient[:, 1], [0, 0.5, 1, 1, 1, 1, 1], atol=1e-6)
    assert np.allclose(dense.transl[:, 0], [0, 0.5, 1, 1.5, 2, 2.5, 3], atol=1e-6)


def test_in_betweens_take_the_short_way():
    orient = np.array([[0, 3.0, 0], [0, -3.0, 0]], np.float32)
    clip = Clip("c", np.array([0, 1.0]), orient, np.zeros((2, 69), np.float32), 0 * orient)
    assert abs(resample(clip, 2).global_orient[1, 1]) == pytest.approx(np.pi, abs=1e-3)
