import numpy as np
import torch

from poseloop.body.joints import BONES
from poseloop.render.cameras import Camera, to_pixels
from poseloop.render.skeleton import project_views, skeleton_maps


def random_joints(*shape):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(0)) * 0.8 - 0.4


def test_capsule_geometry():
    size, radius = 100, 0.04
    joints = torch.zeros(24, 2)
    bone = 5
    parent, child = BONES[bone]
    joints[parent] = torch.tensor([-0.205, 0.105])
    joints[child] = torch.tensor([0.195, 0.105])
    maps = skeleton_maps(joints, size, radius, softness=0.004)
    assert maps.shape == (23, size, size)
    column, row = to_pixels(np.array([0.0, 0.105]), size).round().astype(int)
    profile = maps[bone, :, column]
    assert profile[row] > 0.99
    assert profile[row + 3] > 0.9
    assert torch.isclose(profile[row + 4], torch.tensor(0.5), atol=1e-3)
    assert profile[row + 6] < 0.01
    area = float(maps[bone].sum()) / size**2
    assert abs(area - (0.4 * 2 * radius + np.pi * radius**2)) < 1e-3
    assert maps.min() >= 0
    assert maps.max() <= 1


def test_projection_agrees_with_the_cameras():
    joints = random_joints(2, 24, 3)
    azimuths = (0.0, 45.0, 180.0, 270.0)
    projected = project_views(joints, azimuths)
    assert projected.shape == (2, 4, 24, 2)
    for view, azimuth in enumerate(azimuths):
        expected = Camera(azimuth).project(joints.double().numpy())
        assert np.abs(projected[:, view].numpy() - expected).max() < 1e-6


def test_gradient_pulls_a_bone_to_its_target():
    target = skeleton_maps(random_joints(24, 2), 32, 0.03, 0.02)
    joints = (random_joints(24, 2) + 0.05).requires_grad_()
    optimiser = torch.optim.Adam([joints], 0.01)
    losses = []
    for _ in range(60):
        loss = torch.nn.functional.binary_cross_entropy(
            skeleton_maps(joints, 32, 0.03, 0.02), target
        )
        optimiser.zero_grad()
        loss.backward()
        assert torch.isfinite(joints.grad).all()
        optimiser.step()
        losses.append(loss.item())
    assert (joints - random_joints(24, 2)).abs().mean() < 0.01
    assert losses[-1] < losses[0]


def test_gradient_is_right_and_finite_for_a_bone_seen_end_on():
    joints = random_joints(24, 2).double()
    joints[BONES[0][1]] = joints[BONES[0][0]]
    joints.requires_grad_()
    skeleton_maps(joints, 8, 0.05, 0.03).sum().backward()
    assert torch.isfinite(joints.grad).all()
    apart = random_joints(24, 2).double().requires_grad_()
    assert torch.autograd.gradcheck(lambda j: skeleton_maps(j, 4, 0.05, 0.05), (apart,))
