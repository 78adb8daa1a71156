"""The training loop that all networks share, on a least-squares problem."""

from pathlib import Path

import pytest
import torch

from poseloop.multiview.config import OptimizerConfig
from poseloop.multiview.fitting import fit, rate_factor
from poseloop.runtime.checkpoints import Checkpoints
from poseloop.runtime.errors import UserError

SETTINGS = OptimizerConfig(
    learning_rate=0.05, weight_decay=0.01, warmup_steps=5, clip_grad_norm=1.0, final_rate=0.1
)


def line(monkeypatch, folder: Path, settings=SETTINGS, scale=1.0):
    """Fit y = 2 x - 1; returns the averaged module and the rows."""
    monkeypatch.setattr("poseloop.runtime.checkpoints.SCRATCH", folder)
    torch.manual_seed(0)
    module = torch.nn.Linear(1, 1)
    x = torch.linspace(-1, 1, 32)[:, None]

    def backward(step):
        loss = scale * (module(x) - (2 * x - 1)).square().mean()
        loss.backward()
        return {"loss": float(loss.detach())}

    return fit(module, backward, 300, settings, 0.9, Checkpoints("line", 10**6))


def test_the_average_reaches_the_optimum(monkeypatch, tmp_path):
    average, rows = line(monkeypatch, tmp_path)
    assert average.weight.item() == pytest.approx(2, abs=0.03)
    assert average.bias.item() == pytest.approx(-1, abs=0.03)
    assert [row["step"] for row in rows] == list(range(1, 301))


def test_one_kernel_for_all_weights_takes_the_same_steps(monkeypatch, tmp_path):
    plain, _ = line(monkeypatch, tmp_path / "plain")
    fused, _ = line(monkeypatch, tmp_path / "fused", SETTINGS.model_copy(update={"fused": True}))
    for a, b in zip(plain.parameters(), fused.parameters(), strict=True):
        assert torch.allclose(a, b, atol=1e-4)


def test_a_loss_that_is_not_finite_ends_the_run(monkeypatch, tmp_path):
    with pytest.raises(UserError, match=r"diverged at step 1 .*lower `learning_rate`"):
        line(monkeypatch, tmp_path, scale=float("nan"))


def test_the_rate_rises_then_falls_to_its_share():
    rates = [rate_factor(step, 100, SETTINGS) for step in range(101)]
    assert rates[:5] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0])
    assert rates[5:] == sorted(rates[5:], reverse=True)
    assert rates[100] == pytest.approx(0.1)
