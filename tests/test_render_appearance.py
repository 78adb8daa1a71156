import dataclasses

import numpy as np
import pytest
from tiny_body import rest_joints

from poseloop.body.joints import JOINT
from poseloop.render.appearance import PATTERNS, offsets, paint
from poseloop.render.atlas import make_atlas
from poseloop.render.wardrobe import sample_appearance


@pytest.fixture(scope="module")
def atlas():
    """A body whose every joint carries a cloud of vertices."""
    rng = np.random.default_rng(0)
    joints = rest_joints()
    owners = np.repeat(np.arange(24), 40)
    vertices = joints[owners] + rng.uniform(-0.09, 0.09, (len(owners), 3))
    return make_atlas(vertices, joints, np.eye(24)[owners])


def look(seed=0, **changes):
    return dataclasses.replace(sample_appearance(np.random.default_rng(seed)), **changes)


def test_atlas_knows_up_from_down_and_arms_from_legs(atlas):
    assert atlas.arm.sum() == atlas.leg.sum() == 8 * 40
    assert atlas.head.sum() == 40
    assert not (atlas.torso & (atlas.arm | atlas.leg | atlas.head)).any()
    assert atlas.height[atlas.foot].max() < 0.2 < 0.8 < atlas.height[atlas.head].min()
    assert np.abs(atlas.in_head[atlas.head]).max() <= 1 + 1e-6
    hand = atlas.arm & (np.abs(atlas.position[:, 0]) > rest_joints()[JOINT["left_wrist"], 0])
    assert atlas.reach[hand].min() >= 1 - 1e-6


def test_garments_are_geometry(atlas):
    person = look()
    worn = dataclasses.replace(
        person.top, upper=2.0, lower=0.5, sleeve=2.0, thickness=0.02, flare=0.0
    )
    distance = offsets(dataclasses.replace(person, top=worn, hair_length=0.0), atlas)
    trunk = atlas.torso & (atlas.height > 0.7)
    assert (distance[atlas.arm | trunk] >= 0.02 - 1e-6).all()
    assert (distance[atlas.arm | trunk] <= 0.02 + 2 * person.folds + 1e-6).all()
    assert distance.max() < 0.2
    assert (distance >= 0).all()


def test_sleeves_end_where_they_should(atlas):
    person = look(hair_length=0.0)
    for sleeve in (-1.0, 0.5):
        dressed = dataclasses.replace(person, top=dataclasses.replace(person.top, sleeve=sleeve))
        bare = atlas.arm & (atlas.reach > sleeve)
        assert np.allclose(paint(dressed, atlas)[bare], person.skin, atol=1e-6)
        assert (offsets(dressed, atlas)[bare] == 0).all()
        if sleeve > 0:
            assert (offsets(dressed, atlas)[atlas.arm & (atlas.reach < sleeve)] > 0).all()


def test_flare_widens_the_hem(atlas):
    person = look(folds=0.0)
    skirt = dataclasses.replace(
        person.bottom, upper=0.65, lower=0.2, thickness=0.01, flare=0.08, sleeve=-1.0
    )
    short = dataclasses.replace(person.top, lower=0.66)
    distance = offsets(dataclasses.replace(person, bottom=skirt, top=short), atlas)
    legs = atlas.leg & (atlas.height > 0.2) & (atlas.height < atlas.hip)
    heights, distances = atlas.height[legs], distance[legs]
    assert np.corrcoef(heights, distances)[0, 1] < -0.99
    assert distances[heights.argmin()] > 0.08


@pytest.mark.parametrize("pattern", PATTERNS)
def test_patterns_mix_the_two_colours(atlas, pattern):
    colours = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    person = look(emblem=None, hair_length=0.0)
    top = dataclasses.replace(
        person.top, pattern=pattern, colours=colours, upper=1.2, lower=0.5, sleeve=2.0, period=0.2
    )
    cloth = paint(dataclasses.replace(person, top=top), atlas)[atlas.torso | atlas.arm]
    assert np.allclose(cloth[:, 0] + cloth[:, 2], 1, atol=1e-5)
    blue = cloth[:, 2].mean()
    assert blue == 0 if pattern == "plain" else 0.02 < blue < 0.98


def test_looks_are_reproducible_and_differ(atlas):
    assert np.array_equal(paint(look(1), atlas), paint(look(1), atlas))
    assert not np.allclose(paint(look(1), atlas), paint(look(2), atlas), atol=0.1)


def test_colours_stay_in_range(atlas):
    for seed in range(30):
        colours = paint(look(seed), atlas)
        assert colours.min() >= 0
        assert colours.max() <= 1
