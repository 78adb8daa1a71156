import copy

import numpy as np
import pytest
import torch
from tiny_models import small_denoiser

from poseloop.multiview.config import MultiviewConfig
from poseloop.multiview.dataset import LatentSet
from poseloop.reward.config import DrPoseConfig, PoseScoreConfig
from poseloop.reward.finetune import draw_batch, finetune
from poseloop.reward.posescore import PoseScore
from poseloop.runtime.checkpoints import Checkpoints
from poseloop.runtime.config import load_config

DEVICE = torch.device("cpu")


@pytest.fixture(scope="module")
def problem():
    """A base, a reward and data, all random and small."""
    torch.manual_seed(0)
    base = small_denoiser().requires_grad_(False)
    torch.nn.init.normal_(base.conv_out.weight, std=0.05)
    base_config = load_config("config/demo/multiview.yaml", MultiviewConfig)
    score_config = load_config("config/smoke/posescore.yaml", PoseScoreConfig)
    posescore = PoseScore(score_config, 4, 16, [3, 4]).requires_grad_(False)
    data = LatentSet(
        torch.randn(8, 4, 16, 16),
        torch.randn(8, 24, 3) * 0.2,
        torch.randn(8, 6, 2, 4, 16, 16),
        np.full(8, "val"),
    )
    return base, base_config, posescore, data


def run(problem, folder, monkeypatch, name="drpose", **changes):
    monkeypatch.setattr("poseloop.runtime.checkpoints.SCRATCH", folder)
    base, base_config, posescore, data = problem
    config = load_config("config/demo/drpose.yaml", DrPoseConfig)
    variant = config.variants["drpose"].model_copy(
        update={"steps": 3, "batch_size": 2, "ema_decay": 0.01, **changes}
    )
    ordinary = torch.arange(8) < 4
    return finetune(
        base,
        base_config,
        posescore,
        data,
        ordinary,
        data,
        {"val": data},
        config,
        variant,
        0,
        DEVICE,
        Checkpoints(name, every=1),
    )


def distance(module, base) -> float:
    pairs = zip(module.parameters(), base.parameters(), strict=True)
    return float(sum((a - b).detach().square().sum() for a, b in pairs) ** 0.5)


def test_the_copy_moves_and_the_base_does_not(problem, tmp_path, monkeypatch):
    before = copy.deepcopy(problem[0].state_dict())
    tuned, rows = run(problem, tmp_path, monkeypatch)
    after = problem[0].state_dict()
    assert all(torch.equal(after[name], value) for name, value in before.items())
    assert distance(tuned, problem[0]) > 1e-3
    assert [row["step"] for row in rows] == [0, 1, 2, 3]
    assert rows[1]["kl"] == pytest.approx(0.0, abs=1e-10)
    assert rows[3]["kl"] > 0
    assert {"reward", "anchor", "validation_reward_val"} <= rows[3].keys()


def test_lora_keeps_all_but_linear_layers(problem, tmp_path, monkeypatch):
    tuned, _ = run(problem, tmp_path, monkeypatch, lora_rank=2)
    moved = {
        name
        for name, value in tuned.state_dict().items()
        if not torch.equal(value, problem[0].state_dict()[name])
    }
    linear = {
        f"{name}.weight"
        for name, part in problem[0].named_modules()
        if isinstance(part, torch.nn.Linear)
    }
    assert moved
    assert moved <= linear


def test_one_seed_gives_one_result(problem, tmp_path, monkeypatch):
    first, rows = run(problem, tmp_path / "a", monkeypatch)
    second, again = run(problem, tmp_path / "b", monkeypatch)
    assert rows == again
    assert distance(first, second) == 0.0


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_batches_hold_the_share_of_ordinary_poses(share):
    ordinary = torch.arange(8) < 2
    index = draw_batch(ordinary, 2000, share, torch.Generator().manual_seed(0))
    assert ordinary[index].float().mean().item() == pytest.approx(share, abs=0.04)
    assert set(index.tolist()) <= set(range(8))
