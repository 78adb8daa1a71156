"""Start poses from input pictures: the crop is around the person, and nobody is no pose."""

import numpy as np
import pytest
import torch
from tiny_hmr import base_config, make_body, scorer_config

from poseloop.hmr.denoiser import DiffusionHMR
from poseloop.hmr.geometry import project
from poseloop.hmr.scorer import Scorer
from poseloop.hmr.start_poses import crop_of_input, estimate_poses
from poseloop.reconstruct.config import CarveConfig
from poseloop.runtime.config import load_config
from poseloop.runtime.errors import UserError

SIZE = 40


@pytest.fixture(scope="module")
def config():
    settings = load_config("config/smoke/carve.yaml", CarveConfig).estimate
    return settings.model_copy(update={"margin": 1.25, "size": 32})


def person():
    """A person of 8 x 20 pixels, right of the middle and above it."""
    mask = np.zeros((SIZE, SIZE), np.uint8)
    mask[4:24, 24:32] = 255
    return np.repeat(255 - mask[..., None], 3, axis=2), mask


def test_the_crop_is_a_square_around_the_person(config):
    picture, mask = person()
    crop = crop_of_input(picture, mask, config)
    dark = crop.image[0, ..., 0] < 128
    rows, columns = np.nonzero(dark)
    # 20 pixels of 25 are 26 of 32, with the person in the middle.
    assert np.ptp(rows) + 1 == pytest.approx(20 / 25 * 32, abs=1)
    assert np.ptp(columns) + 1 == pytest.approx(8 / 25 * 32, abs=1)
    assert rows.mean() == pytest.approx(15.5, abs=0.6)
    assert columns.mean() == pytest.approx(15.5, abs=0.6)


def test_the_principal_point_is_the_middle_of_the_whole_picture(config):
    picture, mask = person()
    crop = crop_of_input(picture, mask, config)
    intrinsics = torch.from_numpy(crop.intrinsics[0])
    # The middle of the picture lies 8 pixels left of the person's middle and 6 below it.
    expected = torch.tensor([-8.0, 6.0]) / 12.5
    torch.testing.assert_close(intrinsics[1:], expected)
    far = torch.tensor([[0.0, 0.0, -1e6]])
    place = project(far, torch.tensor([1.0, 0.0, 0.0]), intrinsics)[0]
    torch.testing.assert_close(place, expected, rtol=0, atol=1e-3)


def test_an_empty_mask_is_told_and_gives_no_pose(config, tmp_path, monkeypatch):
    picture, mask = person()
    with pytest.raises(UserError, match="mask is empty"):
        crop_of_input(picture, 0 * mask, config)
    body = make_body(tmp_path)
    torch.manual_seed(0)
    model = DiffusionHMR(base_config(), body).eval()
    scorer = Scorer(scorer_config(), base_config(), body).eval()
    # An untrained detector is sure of nobody.
    monkeypatch.setattr("poseloop.hmr.recover.LEAST_CONFIDENCE", 0.0)
    inputs = {"input_rgb": np.stack([picture] * 2), "input_mask": np.stack([0 * mask, mask])}
    first, second = estimate_poses(model, scorer, inputs, config)
    assert isinstance(first, UserError)
    assert second.shape == (72,) and np.isfinite(second).all()
