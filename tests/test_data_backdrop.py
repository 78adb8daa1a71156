import numpy as np

from poseloop.data.backdrop import compose
from poseloop.data.config import Backdrop


def person():
    mask = np.zeros((32, 32), np.uint8)
    mask[4:28, 10:22] = 255
    mask[4:28, 22] = 100
    alpha = mask[..., None] / 255
    rgb = np.round(alpha * [90, 120, 150] + (1 - alpha) * 255).astype(np.uint8)
    return rgb, mask


def test_nothing_configured_changes_nothing():
    rgb, mask = person()
    picture, visible = compose(rgb, mask, Backdrop(), np.random.default_rng(0))
    assert np.array_equal(picture, rgb)
    assert np.array_equal(visible, mask)


def test_background_stays_behind_the_person():
    rgb, mask = person()
    picture, visible = compose(rgb, mask, Backdrop(background=1), np.random.default_rng(0))
    inside = mask == 255
    assert np.abs(picture[inside].astype(int) - rgb[inside]).max() <= 1
    assert (picture[mask == 0] != 255).any(axis=1).mean() > 0.9
    assert np.array_equal(visible, mask)


def test_occluder_leaves_the_mask():
    rgb, mask = person()
    for seed in range(10):
        rng = np.random.default_rng(seed)
        picture, visible = compose(rgb, mask, Backdrop(occluder=1), rng)
        hidden = (mask == 255) & (visible == 0)
        assert 0 < hidden.sum() < (mask == 255).sum()
        assert len(np.unique(picture[hidden], axis=0)) == 1
        assert ((visible == mask) | (visible == 0)).all()


def test_brightness_scales_the_person_and_leaves_white():
    rgb, mask = person()
    picture, _ = compose(rgb, mask, Backdrop(brightness=(0.5, 0.5)), np.random.default_rng(0))
    assert np.abs(picture[mask == 255] - rgb[mask == 255] / 2).max() <= 1
    assert (picture[mask == 0] == 255).all()
