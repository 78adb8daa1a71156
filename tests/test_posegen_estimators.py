"""Swing-twist inverse kinematics, the compact body, and the two estimators."""

import numpy as np
import pytest
import roma
import torch
from tiny_body import rest_joints
from tiny_data import make_body

from poseloop.body.kinematics import forward_kinematics
from poseloop.posegen import swing_twist
from poseloop.posegen.config_estimators import EstimatorsConfig
from poseloop.posegen.estimator import make_estimator
from poseloop.posegen.estimator_training import heat_loss, surface_body
from poseloop.posegen.skeleton import pose_joints
from poseloop.runtime.config import load_config


@pytest.fixture(scope="module")
def pose():
    generator = torch.Generator().manual_seed(0)
    rotvec = torch.randn((16, 24, 3), generator=generator).double() * 0.9
    return roma.rotvec_to_rotmat(rotvec), torch.from_numpy(rest_joints()).expand(16, 24, 3)


@pytest.fixture(scope="module", autouse=True)
def _double():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def test_inverse_kinematics_is_exact_on_noise_free_joints(pose):
    rotmats, rest = pose
    joints = pose_joints(rotmats, rest).joints
    leaves = rotmats[:, list(swing_twist.LEAVES)]
    solved, reached = swing_twist.solve(joints, rest, swing_twist.decompose(rotmats, rest), leaves)
    assert (solved - rotmats).abs().max() < 1e-9
    assert (pose_joints(solved, rest).joints - joints).abs().max() < 1e-12
    assert (reached - joints).abs().max() < 1e-12


def test_a_wrong_twist_turns_bones_about_themselves_only(pose):
    rotmats, rest = pose
    joints = pose_joints(rotmats, rest).joints
    twists = swing_twist.decompose(rotmats, rest)
    elbow = swing_twist.SINGLES.index(18)
    twists[:, elbow] = twists[:, elbow].flip(-1)
    solved, _ = swing_twist.solve(joints, rest, twists, rotmats[:, list(swing_twist.LEAVES)])
    again = pose_joints(solved, rest).joints
    # The solver works on reconstructed parents: the chain below re-aims, so positions stay.
    assert (again - joints).abs().max() < 1e-9
    assert (solved[:, 18] - rotmats[:, 18]).abs().max() > 0.1


def test_a_noisy_joint_keeps_bone_lengths(pose):
    rotmats, rest = pose
    noisy = pose_joints(rotmats, rest).joints + 0.02 * torch.randn(16, 24, 3)
    solved, joints = swing_twist.solve(
        noisy, rest, swing_twist.decompose(rotmats, rest), rotmats[:, list(swing_twist.LEAVES)]
    )
    at_origin = joints - noisy[:, :1]
    assert (pose_joints(solved, rest).joints - at_origin).abs().max() < 1e-12
    shin = (joints[:, 7] - joints[:, 4]).norm(dim=-1)
    assert shin == pytest.approx((rest[:, 7] - rest[:, 4]).norm(dim=-1).numpy(), abs=1e-9)
    assert (joints - noisy).norm(dim=-1).mean() < 0.08


def test_almost_opposite_directions_keep_their_turn_in_single_precision():
    a = torch.tensor([[0.0, 1, 0]], dtype=torch.float32)
    for degrees in (1.0, 179.0, 179.8):
        angle = torch.deg2rad(torch.tensor(degrees, dtype=torch.float32))
        b = torch.stack([angle.sin(), angle.cos(), torch.zeros(())]).to(a)[None]
        turn = swing_twist.swing_between(a, b)
        assert (turn @ turn.mT - torch.eye(3, dtype=torch.float32)).abs().max() < 1e-5
        assert ((turn @ a.unsqueeze(-1)).squeeze(-1) - b).abs().max() < 1e-4


def test_opposite_directions_have_a_half_turn():
    a = torch.tensor([[0.0, 1, 0], [1, 0, 0]])
    turn = swing_twist.swing_between(a, -a)
    assert torch.allclose((turn @ a.unsqueeze(-1)).squeeze(-1), -a, atol=1e-9)
    assert torch.allclose(torch.linalg.det(turn), torch.ones(2))


def test_heat_maps_are_best_where_the_joint_is():
    joints2d = torch.tensor([[[0.25, 0.1]]])
    place = torch.zeros(1, 1, 8, 8)
    # x = 0.25 lies between columns 5 and 6, y = 0.1 in row 2.7.
    place[0, 0, 2:4, 5:7] = 8.0
    right = heat_loss(place.flatten(2).log_softmax(-1).view_as(place), joints2d)
    flat = heat_loss(torch.zeros(1, 1, 8, 8) - np.log(64), joints2d)
    wrong = heat_loss(place.flip(3).flatten(2).log_softmax(-1).view_as(place), joints2d)
    assert right < flat < wrong
    assert right == pytest.approx(np.log(4), abs=0.05)


def test_keypoints_alone_are_those_of_the_whole_estimate(tmp_path):
    torch.set_default_dtype(torch.float32)
    config = load_config("config/demo/posegen_estimators.yaml", EstimatorsConfig)
    body = surface_body(make_body(tmp_path), 20)
    pictures = torch.rand(3, 3, 32, 32)
    for entry in config.estimators.values():
        estimator = make_estimator(entry, body, 32).eval()
        assert torch.equal(estimator.locate(pictures), estimator(pictures).joints2d)
    torch.set_default_dtype(torch.float64)


def test_joints_and_surface_agree_with_the_body_model(tmp_path):
    torch.set_default_dtype(torch.float32)
    body = make_body(tmp_path)
    compact = surface_body(body, len(body.v_template))
    pose = torch.randn(5, 72) * 0.6
    betas = torch.randn(5, 10)
    truth = body(pose[:, :3], pose[:, 3:], betas)
    rotmats = roma.rotvec_to_rotmat(pose.view(5, 24, 3))
    joints = pose_joints(rotmats, compact.rest_joints(betas)).joints
    expected = forward_kinematics(pose[:, :3], pose[:, 3:], body.rest_joints(betas))
    assert torch.allclose(joints, expected - expected[:, :1], atol=1e-5)
    surface = compact.surface(rotmats, betas)
    assert torch.allclose(surface, truth.vertices - truth.joints[:, :1], atol=1e-5)
    torch.set_default_dtype(torch.float64)


@pytest.mark.parametrize("name", ["regression", "kinematic"])
def test_estimators_overfit_a_few_pictures(name, tmp_path):
    torch.set_default_dtype(torch.float32)
    config = load_config("config/demo/posegen_estimators.yaml", EstimatorsConfig)
    body = surface_body(make_body(tmp_path), 20)
    torch.manual_seed(0)
    estimator = make_estimator(config.estimators[name], body, 32)
    pictures = torch.rand(4, 3, 32, 32)
    joints = pose_joints(roma.random_rotmat((4, 24)), body.rest_joints(torch.zeros(4, 10))).joints
    optimizer = torch.optim.Adam(estimator.parameters(), 3e-3)
    errors = []
    for _ in range(60):
        estimate = estimator(pictures)
        error = (estimate.joints - joints).norm(dim=-1).mean()
        optimizer.zero_grad()
        error.backward()
        optimizer.step()
        errors.append(error.item())
    assert errors[-1] < 0.45 * errors[0]
    assert np.allclose(torch.linalg.det(estimate.rotmats).detach(), 1, atol=1e-4)
    assert estimate.joints2d.shape == (4, 24, 2)
    torch.set_default_dtype(torch.float64)
