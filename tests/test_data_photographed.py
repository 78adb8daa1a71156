"""Captured people as a scan set: the pictures show the scan where its fit says it is."""

import numpy as np
import pytest
import torch
from tiny_captures import write_thuman
from tiny_data import make_body

from poseloop.data.capture_config import CapturesConfig
from poseloop.data.config import Picture
from poseloop.data.photographed import photograph_captures
from poseloop.data.store import ViewSet
from poseloop.render.skeleton import project_views
from poseloop.runtime.errors import UserError

PICTURE = Picture(size=64, supersample=1)
AZIMUTHS = (0.0, 90.0, 180.0)


@pytest.fixture
def body(tmp_path):
    return make_body(tmp_path / "body")


def captures(folder, **entry) -> CapturesConfig:
    own = {"kind": "thuman21", "path": str(folder)} | entry
    return CapturesConfig.model_validate({"captures": {"own": own}})


def photograph(folder, body, **entry):
    return photograph_captures(captures(folder, **entry), "own", body, PICTURE, AZIMUTHS)


def test_every_view_shows_the_scan_at_its_joints(tmp_path, body):
    for number in range(3):
        write_thuman(tmp_path, f"{number:04d}", body, number)
    views, manifest = photograph(tmp_path, body)
    views.save(tmp_path / "own.npz")
    views = ViewSet.load(tmp_path / "own.npz")
    assert views.clip.tolist() == manifest["subjects"] == ["0000", "0001", "0002"]
    assert views.rgb.shape == (3, 3, 64, 64, 3)
    assert np.array_equal(views.input_rgb, views.rgb[:, 0])
    place = project_views(torch.from_numpy(views.joints), AZIMUTHS).numpy() * [1, -1]
    column, row = np.moveaxis(((place + 0.5) * 64).astype(int), -1, 0)
    who, view = np.arange(3)[:, None, None], np.arange(3)[:, None]
    assert (views.mask[who, view, row, column] > 0).mean(axis=(0, 2)).min() > 0.8


def test_colours_are_the_textures_own(tmp_path, body):
    write_thuman(tmp_path, "0000", body)
    views, _ = photograph(tmp_path, body)
    seen = views.mask[0, 0] == 255
    assert np.allclose(views.rgb[0, 0][seen], (200, 40, 40), atol=4)


def test_pose_shape_and_size_are_those_of_the_fit_and_the_facing_is_drawn(tmp_path, body):
    fits = [write_thuman(tmp_path, f"{number:04d}", body, number) for number in range(2)]
    views, _ = photograph(tmp_path, body, yaw=0)
    assert np.allclose(views.global_orient, 0, atol=1e-5)
    turned, _ = photograph(tmp_path, body, yaw=45)
    assert np.allclose(turned.global_orient[:, [0, 2]], 0, atol=1e-5)
    assert 0.01 < np.abs(turned.global_orient[:, 1]).max() <= np.radians(45)
    for row, fit in enumerate(fits):
        assert np.allclose(views.betas[row], fit["betas"][0])
        assert np.allclose(views.body_pose[row, :63], fit["body_pose"][0])
        parameters = views.global_orient, views.body_pose, views.betas
        with torch.inference_mode():
            posed = body(*(torch.from_numpy(value[row : row + 1]) for value in parameters))
        joints = (views.joints[row] - views.joints[row, 0]) * views.metres_per_unit[row]
        assert np.allclose(joints, posed.joints[0] - posed.joints[0, 0], atol=1e-4)


def test_scans_can_be_chosen_by_name(tmp_path, body):
    for number in range(2):
        write_thuman(tmp_path, f"{number:04d}", body, number)
    views, _ = photograph(tmp_path, body, names=["0001"])
    assert views.clip.tolist() == ["0001"]
    with pytest.raises(UserError, match="no scan 0007; there are 0000, 0001"):
        photograph(tmp_path, body, names=["0001", "0007"])


def test_a_scan_that_is_not_where_its_fit_is_is_refused(tmp_path, body):
    wrong = np.float32([[0.0, 1.0, 0.3]])
    write_thuman(tmp_path, "0000", body, translation=wrong)
    with pytest.raises(UserError, match=r"0000: the scan lies \d+\.\d cm from its fit, more than"):
        photograph(tmp_path, body)
    assert len(photograph(tmp_path, body, tolerance=0.5)[0].rgb) == 1


def test_an_unknown_set_is_named(tmp_path, body):
    with pytest.raises(UserError, match="captures: no set 'other'; there are own"):
        photograph_captures(captures(tmp_path), "other", body, PICTURE, AZIMUTHS)
