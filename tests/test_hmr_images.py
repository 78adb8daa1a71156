"""Sets of labelled pictures: what their labels say, and what does not change them."""

import dataclasses

import numpy as np
import pytest
from tiny_data import make_body, make_clips

from poseloop.hmr.detection import joint_places
from poseloop.hmr.image_config import ImageSetsConfig
from poseloop.hmr.images import make_image_set
from poseloop.hmr.skeleton_body import SkeletonBody
from poseloop.runtime.errors import UserError

SIZE = 32


@pytest.fixture(scope="module")
def material(tmp_path_factory):
    folder = tmp_path_factory.mktemp("images")
    return make_body(folder / "body"), make_clips(folder / "clips.npz")


def image_sets(**changes) -> ImageSetsConfig:
    entry = {
        "images": 6,
        "motion": {"clips": {"walk": 1, "punch": 1}, "yaw": 45},
        # Larger shapes would turn the tiny body's blocks inside out.
        "people": {"stream": "set", "bodies": 4, "shape": 0.2},
        "camera": {"kind": "perspective", "distance": [2.0, 3.0], "pitch": [0, 10]},
        "backdrop": {"background": 1.0},
        "crop": {"size": SIZE, "margin": [1.2, 1.3], "shift": 0.02},
    }
    return ImageSetsConfig.model_validate(
        {
            "seed": 0,
            "processes": 1,
            "picture": {"size": 48, "supersample": 1},
            "sets": {"set": {**entry, **changes}},
        }
    )


@pytest.fixture(scope="module")
def made(material):
    return make_image_set(image_sets(), "set", *material)


def test_labels_place_the_joints_inside_the_crop(made, material):
    pictures, labels, _ = made
    assert pictures.image.shape == (6, SIZE, SIZE, 3)
    places = joint_places(SkeletonBody(material[0], 20), pictures, labels).numpy()
    assert np.abs(places).max() < 1
    # The box of the joints takes up what its margin leaves.
    sides = np.ptp(places, axis=1).max(1) / 2
    assert (sides > 1 / 1.35).all() and (sides < 1 / 1.15).all()


def test_a_sets_own_processes_go_before_the_files_and_do_not_change_it(made, material):
    config = image_sets(processes=2)
    assert config.processes == 1 and config.processes_of("set") == 2
    again = make_image_set(config, "set", *material)
    for first, second in zip(made[:2], again[:2], strict=True):
        for field in dataclasses.fields(first):
            assert np.array_equal(getattr(first, field.name), getattr(second, field.name))
    assert made[2] == again[2]


def test_an_unknown_set_is_named(material):
    with pytest.raises(UserError, match="no set 'other'; there are set"):
        make_image_set(image_sets(), "other", *material)
