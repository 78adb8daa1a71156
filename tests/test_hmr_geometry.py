"""Projection, analytic inverse kinematics and the two sets of variables."""

import numpy as np
import pytest
import roma
import torch
from tiny_hmr import make_body, make_labels

from poseloop.hmr.dataset import bodies_of
from poseloop.hmr.geometry import align, mean_rotation, project
from poseloop.hmr.ik import inverse_kinematics, swing, twist_angles
from poseloop.hmr.image_config import Crop
from poseloop.hmr.images import Window, crop_camera, cut, draw_window
from poseloop.hmr.parameters import PARAMETERS
from poseloop.hmr.skeleton_body import SkeletonBody
from poseloop.render.cameras import Camera
from poseloop.runtime.errors import UserError

CROP = Crop(size=16, margin=(1.2, 1.2), shift=0.0)


@pytest.fixture(scope="module")
def body(tmp_path_factory):
    return make_body(tmp_path_factory.mktemp("body"))


@pytest.fixture(scope="module")
def people():
    labels = make_labels(12)
    intrinsics = torch.tensor([6.0, 0.1, -0.2]).expand(12, 3)
    return labels, bodies_of(labels), intrinsics


def test_joints_and_vertices_are_those_of_the_whole_model(body, people):
    labels, bodies, _ = people
    whole = body(
        *(torch.from_numpy(x) for x in (labels.global_orient, labels.body_pose, labels.betas))
    )
    joints, vertices = SkeletonBody(body, len(body.v_template)).surface(bodies)
    torch.testing.assert_close(joints, whole.joints - whole.joints[:, :1], atol=1e-5, rtol=0)
    torch.testing.assert_close(vertices, whole.vertices - whole.joints[:, :1], atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", PARAMETERS)
def test_encoding_is_undone_by_decoding(body, people, name):
    _, bodies, intrinsics = people
    layout = PARAMETERS[name](SkeletonBody(body, 20))
    layout.fit(bodies, intrinsics)
    tokens = layout.encode(bodies, intrinsics)
    assert tokens.shape[1:] == layout.mask.shape
    assert (tokens[:, ~layout.mask] == 0).all()
    again = layout.decode(tokens, intrinsics)
    for first, second in zip(again, bodies, strict=True):
        torch.testing.assert_close(first, second, atol=2e-4, rtol=0)


def test_decoding_takes_many_hypotheses_of_a_picture(body, people):
    _, bodies, intrinsics = people
    for kind in PARAMETERS.values():
        layout = kind(SkeletonBody(body, 20))
        layout.fit(bodies, intrinsics)
        tokens = layout.encode(bodies, intrinsics)[:, None].expand(-1, 3, -1, -1)
        many = layout.decode(tokens, intrinsics[:, None])
        torch.testing.assert_close(many.rotations[:, 2], bodies.rotations, atol=2e-4, rtol=0)


def test_more_vertices_than_the_body_has_are_refused(body):
    count = len(body.v_template)
    with pytest.raises(UserError, match=f"vertices: 1000000, but the body has {count}"):
        SkeletonBody(body, 1_000_000)


def test_inverse_kinematics_survives_bones_of_the_wrong_length(body, people):
    """A longer arm must not turn the hand: positions are rebuilt with the body's own bones."""
    _, bodies, _ = people
    small = SkeletonBody(body, 20)
    rest, points = small.rest_points(bodies.betas), small.points(bodies)
    angles = twist_angles(bodies.rotations, rest)
    twists = torch.stack([angles.cos(), angles.sin()], -1)
    found = inverse_kinematics(points, twists, rest)
    torch.testing.assert_close(found, bodies.rotations, atol=2e-4, rtol=0)
    noisy = inverse_kinematics(points * 1.1, twists, rest)
    turn = roma.rotmat_geodesic_distance(noisy[:, 0], bodies.rotations[:, 0])
    assert turn.max() < 1e-3


def test_a_swing_turns_one_direction_into_the_other_by_the_smallest_angle():
    generator = torch.Generator().manual_seed(0)
    start, end = torch.randn((2, 50, 3), generator=generator)
    turn = swing(start, end)
    moved = torch.nn.functional.normalize((turn @ start[..., None]).squeeze(-1), dim=-1)
    torch.testing.assert_close(moved, torch.nn.functional.normalize(end, dim=-1), atol=1e-5, rtol=0)
    angle = roma.rotmat_to_rotvec(turn).norm(dim=-1)
    cosine = torch.nn.functional.cosine_similarity(start, end)
    torch.testing.assert_close(angle.cos(), cosine, atol=1e-4, rtol=0)


def test_projection_of_a_crop_is_the_cameras_own():
    """Joints seen by the renderer's camera, then cropped, lie where `project` puts them."""
    rng = np.random.default_rng(0)
    joints = rng.uniform(-0.3, 0.3, (24, 3))
    camera, metres = Camera(0.0, 2.5), 1.9
    window = Window(np.array([0.05, -0.1]), 0.7)
    intrinsics, label = crop_camera(joints[0], camera.distance, metres, window)
    rooted = torch.from_numpy((joints - joints[0]) * metres).float()
    found = project(rooted, torch.from_numpy(label), torch.from_numpy(intrinsics)).numpy()
    expected = (camera.project(joints) - window.centre) * [1, -1] * 2 / window.side
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_an_infinite_focal_length_is_the_weak_perspective_camera():
    points = torch.randn((5, 3), generator=torch.Generator().manual_seed(0))
    camera, far = torch.tensor([0.8, 0.1, -0.3]), torch.tensor([1e9, 0.0, 0.0])
    expected = torch.tensor([0.1, -0.3]) + 0.8 * points[:, :2] * torch.tensor([1.0, -1.0])
    torch.testing.assert_close(project(points, camera, far), expected, atol=1e-5, rtol=0)


def test_a_crop_shows_what_its_window_holds():
    picture = np.zeros((64, 64, 3), np.uint8)
    picture[8:16, 40:48] = 200  # above the middle, to the right
    window = Window(np.array([44 / 64 - 0.5, 0.5 - 12 / 64]), 8 / 64)
    assert (cut(picture, window, 16)[2:-2, 2:-2] == 200).all()
    assert cut(picture, Window(np.array([-0.6, 0.6]), 0.1), 16).max() == 0


def test_truncation_cuts_joints_off_and_plain_crops_do_not():
    places = np.random.default_rng(0).uniform(-0.3, 0.3, (24, 2))
    rng = np.random.default_rng(1)

    def inside(crop):
        window = draw_window(places, crop, rng)
        return (np.abs(places - window.centre) <= window.side / 2).all()

    assert all(inside(CROP) for _ in range(20))
    assert not any(inside(CROP.model_copy(update={"truncated": 1.0})) for _ in range(20))


def test_alignment_removes_a_similarity_and_moves_other_points_along():
    generator = torch.Generator().manual_seed(0)
    target = torch.randn((4, 3, 14, 3), generator=generator)
    turn = roma.random_rotmat((4, 3))
    source = 0.7 * target @ turn.mT + 2.0
    torch.testing.assert_close(align(source, target), target, atol=1e-4, rtol=0)
    torch.testing.assert_close(
        align(source, target, source[..., :2, :]), target[..., :2, :], atol=1e-4, rtol=0
    )


def test_mean_of_rotations_is_a_rotation_between_them():
    angles = torch.tensor([[-0.4, 0.0, 0.0], [0.4, 0.0, 0.0], [0.0, 0.0, 0.0]])
    mean = mean_rotation(roma.rotvec_to_rotmat(angles)[None], 1)
    torch.testing.assert_close(mean[0], torch.eye(3), atol=1e-6, rtol=0)
