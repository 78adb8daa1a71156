"""Visual hull: known shapes, opposite views, leniency, empty views."""

import numpy as np
import pytest
import trimesh

from poseloop.evaluate.config import Hull
from poseloop.evaluate.hull import occupancy, visual_hull

AZIMUTHS = np.array([0, 45, 90, 180, 270, 315.0])
EXACT = Hull(resolution=64, level=0.5, softness=0.0)


def disc(size, radius, shift=0.0):
    centre = (np.arange(size) + 0.5) / size - 0.5
    x, y = np.meshgrid(centre, -centre)
    return np.clip((radius - np.hypot(x - shift, y)) * size + 0.5, 0, 1)


def box_masks(size, half):
    """Silhouettes of the box with half sizes (x, y, z), hard edges between pixel centres."""
    centre = (np.arange(size) + 0.5) / size - 0.5
    masks = []
    for a in np.deg2rad(AZIMUTHS):
        reach = half[0] * abs(np.cos(a)) + half[2] * abs(np.sin(a))
        rows = np.clip((half[1] - np.abs(centre)) * size + 0.5, 0, 1)
        columns = np.clip((reach - np.abs(centre)) * size + 0.5, 0, 1)
        masks.append(rows[:, None] * columns)
    return np.stack(masks)


def test_hull_of_a_sphere_has_its_size_and_faces_outwards():
    mesh = visual_hull(np.stack([disc(64, 0.3)] * 6), AZIMUTHS, EXACT)
    assert not mesh.fallback
    np.testing.assert_allclose(np.abs(mesh.vertices).max(0), 0.3, atol=0.004)
    volume = trimesh.Trimesh(mesh.vertices, mesh.faces).volume
    # A slice of the hull is the octagon around the sphere's disc.
    octagon = 8 * np.tan(np.pi / 8) / np.pi
    assert volume == pytest.approx(4 / 3 * np.pi * 0.3**3 * octagon, rel=0.02)


def test_hull_of_a_box_is_the_box():
    half = np.array([0.15, 0.35, 0.25])
    mesh = visual_hull(box_masks(64, half), AZIMUTHS, EXACT)
    np.testing.assert_allclose(mesh.vertices.max(0), half, atol=0.01)
    np.testing.assert_allclose(mesh.vertices.min(0), -half, atol=0.01)


def test_an_arm_to_the_left_is_on_the_left():
    """A mass at +x is right of the middle in view 0 and left of it in view 180."""
    masks = np.zeros((6, 64, 64))
    for view, azimuth in enumerate(np.deg2rad(AZIMUTHS)):
        masks[view] = disc(64, 0.1, 0.3 * np.cos(azimuth))
    mesh = visual_hull(masks, AZIMUTHS, EXACT)
    np.testing.assert_allclose(mesh.vertices.mean(0), [0.3, 0, 0], atol=0.01)
    assert not visual_hull(masks, AZIMUTHS, EXACT).fallback


def test_softness_keeps_what_one_direction_has_weakened():
    masks = np.stack([disc(64, 0.3)] * 6)
    masks[1] *= 0.45
    exact = occupancy(masks, AZIMUTHS, 32, 0.0)[16, 16, 16]
    soft = occupancy(masks, AZIMUTHS, 32, 0.05)[16, 16, 16]
    assert exact < 0.5 < soft


def test_one_of_two_opposite_views_cannot_carve_alone():
    masks = np.stack([disc(64, 0.3)] * 6)
    masks[3] *= 0.1
    assert occupancy(masks, AZIMUTHS, 32, 0.0)[16, 16, 16] > 0.5


def test_empty_views_give_a_marked_fallback():
    blank = visual_hull(np.zeros((6, 32, 32)), AZIMUTHS, EXACT)
    weak = visual_hull(np.stack([disc(32, 0.3) * 0.3] * 6), AZIMUTHS, EXACT)
    assert blank.fallback and np.abs(blank.vertices).max() == pytest.approx(0.05)
    assert trimesh.Trimesh(blank.vertices, blank.faces).volume > 0
    assert weak.fallback and np.abs(weak.vertices).max() == pytest.approx(0.3, abs=0.05)


def test_a_full_picture_gives_a_closed_mesh():
    mesh = visual_hull(np.ones((6, 32, 32)), AZIMUTHS, EXACT)
    assert trimesh.Trimesh(mesh.vertices, mesh.faces).is_watertight
