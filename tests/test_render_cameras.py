import numpy as np
import pytest

from poseloop.render.cameras import (
    PAPER_AZIMUTHS,
    Camera,
    pixel_centres,
    pixel_window,
    to_pixels,
    view_rotation,
)


def test_view_rotation_follows_the_convention():
    for azimuth in PAPER_AZIMUTHS:
        a = np.deg2rad(azimuth)
        right, up, towards = view_rotation(azimuth)
        assert np.allclose(right, [np.cos(a), 0, -np.sin(a)])
        assert np.allclose(up, [0, 1, 0])
        assert np.allclose(towards, [np.sin(a), 0, np.cos(a)])
        assert np.isclose(np.linalg.det(view_rotation(azimuth)), 1)


def test_left_hand_is_right_in_the_front_view_and_left_in_the_back_view():
    left_hand = np.array([0.4, 0.1, 0.0])
    assert Camera(0).project(left_hand)[0] == pytest.approx(0.4)
    assert Camera(180).project(left_hand)[0] == pytest.approx(-0.4)


@pytest.mark.parametrize("camera", [Camera(45.0), Camera(0.0, 2.5), Camera(270.0, 3.0)])
def test_points_on_a_ray_project_to_its_pixel(camera):
    xy = np.random.default_rng(0).uniform(-0.5, 0.5, (50, 2))
    origins, directions = camera.rays(xy)
    assert np.allclose(np.linalg.norm(directions, axis=1), 1)
    for length in (1.5, 2.0):
        assert np.allclose(camera.project(origins + length * directions), xy)


def test_perspective_keeps_the_scale_of_the_plane_through_the_origin():
    points = np.array([[0.3, -0.2, 0.0], [0.3, -0.2, 0.2]])
    near, nearer = Camera(0.0, 2.0).project(points)
    assert np.allclose(near, [0.3, -0.2])
    assert np.linalg.norm(nearer) > np.linalg.norm(near)


def test_pixels_and_image_coordinates_are_inverse():
    x, y = pixel_centres(8)
    assert np.allclose(to_pixels(np.stack([x, y], axis=1), 8), np.arange(8)[:, None])
    assert pixel_window(-0.5, 0.5, 8) == (0, 8)
    first, last = pixel_window(-0.2, 0.1, 64)
    seen = np.flatnonzero((pixel_centres(64)[0] >= -0.2) & (pixel_centres(64)[0] <= 0.1))
    assert first <= seen[0]
    assert last > seen[-1]
