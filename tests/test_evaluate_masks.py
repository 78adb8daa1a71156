import numpy as np
import pytest

from poseloop.evaluate.masks import colour_masks, normal_masks, soft_masks


def pictures():
    """A white background with three pixels of body: black, pale and dark with a lost normal."""
    rgb = np.full((2, 2, 3), 255, np.uint8)
    rgb[0, 0], rgb[0, 1], rgb[1, 0] = 0, 230, 40
    normal = np.full((2, 2, 3), 128, np.uint8)
    normal[0, :] = np.round(np.array([0.6, 0.0, 0.8]) * 127.5 + 127.5)
    return rgb, normal


def test_normal_masks_are_zero_on_the_background_and_one_on_unit_normals():
    mask = normal_masks(pictures()[1])
    assert mask[0] == pytest.approx([1, 1], abs=0.01)
    assert mask[1] == pytest.approx([0, 0], abs=0.01)


def test_colour_masks_grow_with_the_distance_from_white_up_to_the_contrast():
    mask = colour_masks(pictures()[0], 0.2)
    assert mask[1, 1] == 0
    assert mask[0, 0] == mask[1, 0] == 1
    assert mask[0, 1] == pytest.approx(25 / 255 / 0.2, abs=1e-6)


def test_a_body_that_one_picture_lost_is_half_there():
    mask = soft_masks(*pictures(), 0.2)
    assert mask[0, 0] == pytest.approx(1, abs=0.01)
    assert mask[0, 1] > 0.5
    assert mask[1, 0] == pytest.approx(0.5, abs=0.01)
    assert mask[1, 1] < 0.01
