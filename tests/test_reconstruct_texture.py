"""Colours of a carved mesh land where they belong."""

import numpy as np
import pytest
from tiny_carving import AZIMUTHS, SIZE, ball, demo_config

from poseloop.reconstruct.texture import vertex_colours


@pytest.fixture(scope="module")
def config():
    return demo_config()


def test_colours_come_from_the_views_that_see_a_vertex(config):
    vertices, faces = ball([0.3, 0.3, 0.3])
    rgb = np.zeros((6, SIZE, SIZE, 3), np.uint8)
    rgb[0, ..., 0] = rgb[3, ..., 2] = 255
    weights = [1.0, 0.0, 0.0, 1.0, 0.0, 0.0]
    texture = config.texture.model_copy(update={"least_cosine": 0.2})
    colours = vertex_colours(vertices, faces, rgb, AZIMUTHS, weights, texture)
    front, back = vertices[:, 2] > 0.1, vertices[:, 2] < -0.1
    np.testing.assert_allclose(colours[front], np.tile([1.0, 0, 0], (front.sum(), 1)), atol=1e-6)
    np.testing.assert_allclose(colours[back], np.tile([0, 0, 1.0], (back.sum(), 1)), atol=1e-6)
    rim = np.abs(vertices[:, 2]) < 0.005
    np.testing.assert_allclose(colours[rim].mean(0), [0.5, 0, 0.5], atol=0.02)


def test_a_hidden_vertex_takes_no_colour_from_what_hides_it(config):
    near, faces = ball([0.3, 0.3, 0.05])
    far = near.copy()
    near, far = near + [0, 0, 0.2], far - [0, 0, 0.2]
    vertices, triangles = np.concatenate([near, far]), np.concatenate([faces, faces + len(near)])
    rgb = np.zeros((6, SIZE, SIZE, 3), np.uint8)
    rgb[0, ..., 0] = rgb[3, ..., 2] = 255
    weights = [1.0, 0.0, 0.0, 1.0, 0.0, 0.0]
    colours = vertex_colours(vertices, triangles, rgb, AZIMUTHS, weights, config.texture)
    inner = (vertices[:, 2] > -0.2) & (np.arange(len(vertices)) >= len(near))
    middle = inner & (np.hypot(vertices[:, 0], vertices[:, 1]) < 0.15)
    # The far disc's front faces the first view, which the near disc blocks: no red of its own.
    assert colours[middle, 0].max() < 0.2
