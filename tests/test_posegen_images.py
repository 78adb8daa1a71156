"""Cameras, crops and picture sets."""

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from tiny_data import make_body, make_clips

from poseloop.posegen.config_images import CameraRange, ImageSetsConfig
from poseloop.posegen.images import make_image_set
from poseloop.posegen.imageset import ImageSet
from poseloop.posegen.views import camera_rotation, crop_of, project
from poseloop.render.cameras import Camera
from poseloop.runtime.errors import UserError


def config(**changes) -> ImageSetsConfig:
    entry = {
        "count": 6,
        "motion": {"splits": ["train"]},
        "people": {"stream": "a", "bodies": 3, "shape": 0.2},
        "camera": {"elevation": [-20, 50], "roll": [-30, 30], "distance": [3, 5]},
        **changes,
    }
    return ImageSetsConfig.model_validate(
        {
            "seed": 0,
            "picture": {"size": 48, "supersample": 1},
            "surface_points": 10,
            "sets": {"set": entry},
        }
    )


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("images")
    return make_body(folder), make_clips(folder / "clips.npz")


def turned(point, **angles):
    values = [torch.deg2rad(torch.tensor([angles.get(n, 0.0)])) for n in ("a", "e", "r")]
    return (camera_rotation(*values)[0] @ torch.tensor(point)).numpy()


def test_camera_angles_turn_the_world_as_they_are_called():
    front, left, up = [0.0, 0, 1], [1.0, 0, 0], [0.0, 1, 0]
    assert np.allclose(turned(front, a=90.0), left, atol=1e-6)
    # From above the head's top leans towards the camera.
    assert turned(up, e=30.0)[2] == pytest.approx(0.5)
    assert np.allclose(turned(left, r=90.0), up, atol=1e-6)


def test_the_crop_holds_the_joints_and_agrees_with_the_renderers_camera():
    joints = torch.randn((5, 24, 3), generator=torch.Generator().manual_seed(0)) * 0.4
    centre, size = crop_of(joints)
    distance = torch.full((5,), 4.0)
    xy = project(joints, centre, size, distance)
    assert xy.abs().max() < 0.5
    camera = Camera(0.0, float(distance[0] / size[0]))
    expected = camera.project(((joints[0] - centre[0]) / size[0]).numpy())
    assert np.allclose(xy[0], expected, atol=1e-5)


def test_sets_repeat_and_their_labels_agree(world, tmp_path):
    body, clips = world
    images = make_image_set(config(), "set", body, clips)
    again = make_image_set(config(), "set", body, clips)
    assert np.array_equal(images.rgb, again.rgb)
    elevation, roll = images.camera[:, 1], images.camera[:, 2]
    assert (elevation >= -20).all() and (elevation <= 50).all() and np.ptp(elevation) > 5
    assert np.ptp(roll) > 5
    posed = body(
        *(torch.from_numpy(a) for a in (images.global_orient, images.body_pose, images.betas))
    ).joints
    assert np.allclose(posed - posed[:, :1], images.joints, atol=1e-5)
    images.save(tmp_path / "set.npz")
    assert np.array_equal(ImageSet.load(tmp_path / "set.npz").joints2d, images.joints2d)


def test_a_second_person_hides_or_joins_the_first(world):
    body, clips = world
    alone = make_image_set(config(), "set", body, clips)
    crowded = make_image_set(config(crowd=1.0), "set", body, clips)
    assert (alone.rgb != crowded.rgb).any(axis=(1, 2, 3)).all()
    assert np.array_equal(alone.joints, crowded.joints)
    assert (crowded.mask.sum((1, 2)) <= alone.mask.sum((1, 2))).all()
    assert (crowded.mask.sum((1, 2)) < alone.mask.sum((1, 2))).any()


def test_faults_name_the_field(world, tmp_path):
    body, clips = world
    with pytest.raises(UserError, match="no set 'nope'"):
        make_image_set(config(), "nope", body, clips)
    with pytest.raises(ValidationError, match="elevation: needs lowest <= highest"):
        CameraRange(elevation=(10.0, -10.0))
    with pytest.raises(ValidationError, match="inside a person's reach"):
        CameraRange(distance=(0.5, 3.0))
    images = make_image_set(config(), "set", body, clips)
    broken = {**vars(images), "joints": images.joints.copy()}
    broken["joints"][0, 3, 1] = np.nan
    ImageSet(**broken).save(tmp_path / "broken.npz")
    with pytest.raises(UserError, match=r"broken.npz: joints holds numbers that are not finite"):
        ImageSet.load(tmp_path / "broken.npz")
