"""The two articulated fields: what they render, their gradients, bad captures."""

import numpy as np
import pytest
import torch
from tiny_data import make_body, make_clips
from tiny_posegen import field_of, nerf_config

from poseloop.posegen.captures import make_captures, scene_of, subject_betas
from poseloop.posegen.config_nerf import NerfConfig
from poseloop.posegen.feedback import scene_of_drawn
from poseloop.posegen.field import composite
from poseloop.posegen.generator import Drawn
from poseloop.posegen.nerf_training import load_field, on_white, render_all, save_field, train_field
from poseloop.posegen.relative_field import RelativeField
from poseloop.posegen.synthesis import depth_normals
from poseloop.posegen.views import project
from poseloop.runtime.checkpoints import Checkpoints
from poseloop.runtime.errors import UserError


@pytest.fixture(scope="module")
def body(tmp_path_factory):
    return make_body(tmp_path_factory.mktemp("body"))


@pytest.fixture(scope="module")
def captures(body, tmp_path_factory):
    clips = make_clips(tmp_path_factory.mktemp("clips") / "clips.npz")
    return make_captures(nerf_config(), body, clips)


def scene(body, count=3):
    field, betas, compact = field_of(body)
    generator = torch.Generator().manual_seed(0)
    pose = 0.3 * torch.randn((count, 72), generator=generator)
    camera = torch.tensor([[0.5, 0.2, 0.1, 4.0]]).expand(count, 4)
    drawn = Drawn(pose, camera)
    return field, scene_of_drawn(
        drawn, torch.zeros(count, dtype=torch.int64), compact.rest_joints(betas)
    )


def test_compositing_stops_at_an_opaque_sample():
    density = torch.tensor([[0.0, 1e4, 1e4]])
    colour = torch.eye(3)[None]
    depth = torch.tensor([[1.0, 0.5, 0.0]])
    mixed, opacity, deep, weights = composite(density, colour, depth, torch.full((1, 3), 0.1))
    assert torch.allclose(mixed, torch.tensor([[0.0, 1, 0]]), atol=1e-6)
    assert opacity.item() == pytest.approx(1.0)
    assert deep.item() == pytest.approx(0.5)
    assert weights[0, 2] == 0


def test_a_capsule_body_covers_its_joints_and_not_the_corners(body):
    field, posed = scene(body)
    shown = field.render(posed, 64)
    xy = project(posed.joints, posed.centre, posed.size, posed.distance)
    column = ((xy[..., 0] + 0.5) * 64).long()
    row = ((0.5 - xy[..., 1]) * 64).long()
    for image in range(3):
        assert shown.opacity[image, row[image], column[image]].min() > 0.5
    assert shown.opacity[:, 0, 0].max() < 1e-3
    assert shown.opacity.mean() < 0.5


def test_skipping_empty_cells_keeps_the_silhouette(body):
    field, posed = scene(body)
    before = field.render(posed, 32)
    field.occupied.fill_(True)
    after = field.render(posed, 32)
    assert (before.opacity <= after.opacity + 1e-5).all()
    assert (after.opacity - before.opacity).mean() < 0.02
    assert ((before.opacity > 0.5) == (after.opacity > 0.5)).float().mean() > 0.98


@pytest.mark.parametrize("kind", ["parts", "relative"])
def test_gradients_reach_the_pose(body, kind):
    field, posed = scene(body, 1)
    if kind == "relative":
        torch.manual_seed(0)
        field = RelativeField(nerf_config().relative, 2)
        for network in field.fine:
            torch.nn.init.constant_(network.density.bias, 0.2)
    joints = posed.joints.clone().requires_grad_()
    field.render(posed._replace(joints=joints), 24).opacity[:, :, :12].sum().backward()
    assert joints.grad.abs().sum() > 0


def test_the_gradient_of_a_shift_is_that_of_finite_differences(body):
    field, posed = scene(body, 1)
    target = field.render(posed._replace(joints=posed.joints + 0.02), 32).opacity.detach()

    def loss(shift):
        moved = posed._replace(joints=posed.joints + shift)
        return (field.render(moved, 32).opacity - target).square().sum()

    shift = torch.zeros(3, requires_grad=True)
    (gradient,) = torch.autograd.grad(loss(shift), shift)
    steps = 0.01 * torch.eye(3)
    measured = torch.stack([(loss(step) - loss(-step)) / 0.02 for step in steps])
    assert torch.nn.functional.cosine_similarity(gradient[:2], measured[:2], dim=0) > 0.95


@pytest.mark.parametrize("kind", ["parts", "relative"])
def test_training_lowers_the_error_and_the_file_gives_the_same_pictures(
    body, captures, kind, tmp_path, monkeypatch
):
    monkeypatch.setattr("poseloop.runtime.checkpoints.SCRATCH", tmp_path)
    config = nerf_config()
    fits = dict(config.fit)
    fits[kind] = fits[kind].model_copy(update={"steps": 24})
    config = config.model_copy(update={"fit": fits})
    _, _, compact = field_of(body)
    train = captures["train"]
    field, betas, rows = train_field(config, kind, train, compact, Checkpoints(kind, 10))
    losses = [row["loss"] for row in rows]
    assert np.mean(losses[-4:]) < 0.9 * np.mean(losses[:4])
    save_field(tmp_path / "field.safetensors", field, betas, compact)
    again, shapes = load_field(tmp_path / "field.safetensors")
    few = scene_of(train[:2], compact)
    assert torch.equal(shapes, betas)
    assert np.array_equal(
        on_white(render_all(field, few, 32)), on_white(render_all(again, few, 32))
    )


def test_captures_hold_out_a_view_and_poses(captures):
    assert set(captures["view"].camera[:, 0]) == {45.0}
    assert 45.0 not in captures["train"].camera[:, 0]
    shown = {pose.tobytes() for pose in captures["train"].body_pose}
    assert {pose.tobytes() for pose in captures["view"].body_pose} == shown
    assert not {pose.tobytes() for pose in captures["pose"].body_pose} & shown


def test_a_subject_seen_from_one_view_only_is_an_error(captures):
    train = captures["train"]
    keep = (train.body_id == 0) | (train.camera[:, 0] == train.camera[0, 0])
    with pytest.raises(UserError, match="subject 1 is seen from one view only"):
        subject_betas(train[keep])
    settings = nerf_config().model_dump()
    settings["capture"]["azimuths"] = [0.0]
    with pytest.raises(ValueError, match="one view only"):
        NerfConfig.model_validate(settings)


def test_normals_of_a_slope_and_a_flat():
    rows, columns = np.mgrid[:8, :8].astype(float)
    opaque = np.ones((8, 8))
    inner = (slice(1, -1), slice(1, -1))
    flat = depth_normals(0 * columns, opaque, 0.1)[inner]
    assert np.allclose(flat, [0, 0, 1])
    right = depth_normals(-0.1 * columns, opaque, 0.1)[inner]
    assert np.allclose(right, np.array([1, 0, 1]) / np.sqrt(2))
    up = depth_normals(0.1 * rows, opaque, 0.1)[inner]
    assert np.allclose(up, np.array([0, 1, 1]) / np.sqrt(2))
