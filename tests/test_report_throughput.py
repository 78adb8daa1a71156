"""Rates of training: what is counted, and that both loops train."""

import pytest
import torch
from tiny_models import SMALL_DENOISER
from workflow_clone import ROOT

from poseloop.multiview.config import MultiviewConfig
from poseloop.report.planning.flops import denoiser
from poseloop.report.planning.throughput import (
    matrix_rate,
    random_latents,
    rates,
    train_here,
    train_plainly,
)
from poseloop.runtime.config import load_config

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def config():
    smoke = load_config(ROOT / "config/smoke/multiview.yaml", MultiviewConfig)
    return smoke.model_copy(update={"denoiser": SMALL_DENOISER})


def test_the_warm_up_does_not_count(config):
    def train(config, data, device, steps):
        assert len(data) == 4 * config.train.batch_size
        return [100.0 + 5 * step for step in range(3)] + [110.0 + 2 * step for step in range(1, 5)]

    rate = rates(train, config, 16, CPU, steps=4, warmup=3)
    subjects = config.train.batch_size / 2
    assert rate["images"] == subjects * 6 * 2
    assert rate["tflops"] == pytest.approx(3e-12 * denoiser(SMALL_DENOISER, 16).flops * subjects)
    assert rate["gigabytes"] == 0


@pytest.mark.parametrize("train", [train_here, train_plainly])
def test_a_loop_takes_the_steps_that_it_is_asked_for(config, train):
    times = train(config, random_latents(config, 16, 8), CPU, 3)
    assert len(times) >= 3
    assert times == sorted(times)


def test_matrices_have_a_rate():
    assert matrix_rate(CPU, side=64, repeats=2) > 0
