"""Picture metrics: known values, the input view apart, LPIPS from supplied weights."""

import numpy as np
import pytest
import torch

from poseloop.evaluate.diversity import seed_diversity
from poseloop.evaluate.images import compare_views, mask_iou, psnr, ssim
from poseloop.evaluate.lpips import Lpips
from poseloop.runtime.errors import UserError

AZIMUTHS = np.array([0, 45, 90, 180, 270, 315.0])


def test_psnr_of_a_known_error():
    truth = np.full((16, 16, 3), 100, np.uint8)
    assert psnr(truth + np.uint8(10), truth) == pytest.approx(20 * np.log10(255 / 10))
    assert psnr(truth, truth) == 100


def test_ssim_is_one_for_equal_pictures_and_falls_with_noise():
    rng = np.random.default_rng(0)
    truth = rng.integers(60, 200, (32, 32, 3), dtype=np.uint8)
    noisy = (truth + rng.integers(-40, 40, truth.shape)).astype(np.uint8)
    assert ssim(truth, truth) == pytest.approx(1)
    assert ssim(noisy, truth) < 0.95


def test_mask_iou():
    a, b = np.zeros((4, 4)), np.zeros((4, 4))
    assert mask_iou(a, b, 0.5) == 1
    a[:2], b[1:3] = 1, 0.9
    assert mask_iou(a, b, 0.5) == pytest.approx(4 / 12)


def test_the_input_view_has_its_own_metrics():
    truth = np.full((6, 16, 16, 3), 100, np.uint8)
    image = truth + np.uint8(10)
    image[0] = truth[0]
    mask = np.ones((6, 16, 16))
    found = compare_views(image, truth, mask, truth, truth, mask, AZIMUTHS, 0.5)
    assert found["psnr_input"] == 100
    assert found["psnr"] == found["psnr_view045"] == pytest.approx(28.13, abs=0.01)
    assert {f"mask_iou_view{a}" for a in ("000", "045", "090", "180", "270", "315")} <= set(found)


def test_diversity_is_zero_for_equal_seeds_and_counts_masks_that_part():
    normals = np.full((2, 1, 6, 8, 8, 3), 128, np.uint8)
    normals[:, :, :, 2:6, 2:6] = [128, 128, 255]
    same = seed_diversity(normals, 0.5)
    assert same == {"diversity_normal": [0.0], "diversity_mask": [0.0]}
    normals[1, 0, 1:] = np.roll(normals[1, 0, 1:], 4, axis=2)
    apart = seed_diversity(normals, 0.5)
    assert apart["diversity_mask"][0] == pytest.approx(1 - 0 / 32)
    assert apart["diversity_normal"][0] == pytest.approx(127 / 2 / 127.5 / 3, rel=1e-3)


def test_diversity_leaves_out_the_input_view():
    normals = np.full((2, 1, 6, 8, 8, 3), 128, np.uint8)
    normals[1, 0, 0] = 255
    assert seed_diversity(normals, 0.5)["diversity_mask"] == [0.0]


def test_lpips_reads_alexnet_and_separates_pictures(tmp_path):
    torch.manual_seed(0)
    shapes = {"0": (64, 3, 11), "3": (192, 64, 5), "6": (384, 192, 3)}
    shapes |= {"8": (256, 384, 3), "10": (256, 256, 3)}
    state = {"classifier.1.weight": torch.zeros(2)}
    for name, (out, into, side) in shapes.items():
        state[f"features.{name}.weight"] = torch.randn(out, into, side, side) * 0.05
        state[f"features.{name}.bias"] = torch.zeros(out)
    torch.save(state, tmp_path / "alexnet.pth")
    measure = Lpips(tmp_path / "alexnet.pth")
    a, b = torch.rand(2, 2, 3, 64, 64) * 2 - 1
    assert measure(a, a).tolist() == [0, 0]
    assert (measure(a, b) > 0).all()


def test_lpips_names_a_file_that_is_no_alexnet(tmp_path):
    path = tmp_path / "weights.pth"
    path.write_bytes(b"not weights")
    with pytest.raises(UserError, match="not .* AlexNet weights .damaged, or with more"):
        Lpips(path)
