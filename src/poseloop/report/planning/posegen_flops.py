"""Arithmetic of the PoseGen loop's networks, counted on the meta device.

Forward and inverse kinematics are left out, beside which the networks are large.
"""

from types import SimpleNamespace

import torch
from torch import nn

from poseloop.posegen.config import GeneratorConfig
from poseloop.posegen.config_estimators import EstimatorConfig
from poseloop.posegen.config_nerf import RelativeFieldConfig
from poseloop.posegen.estimator import KinematicEstimator, RegressionEstimator
from poseloop.posegen.generator import FEATURES, PARTS, Generator
from poseloop.posegen.relative_field import RelativeNetwork
from poseloop.report.planning.flops import Network, count_network

# Of the open body; other numbers change little.
_BODY = SimpleNamespace(num_betas=10)


def estimator(config: EstimatorConfig, size: int) -> Network:
    """One picture."""
    pictures = (1, 3, size, size)
    if config.kind == "kinematic":
        return count_network(
            lambda: KinematicEstimator(config, _BODY, size),
            lambda module: module.locate(torch.empty(pictures)),
        )

    def run(module: nn.Module) -> None:
        features = module.backbone(torch.empty(pictures))[2]
        for _ in range(config.iterations):
            module.regressor(torch.cat([features, module.start[None]], 1))

    return count_network(lambda: RegressionEstimator(config, _BODY, size), run)


def gan_step(config: GeneratorConfig) -> float:
    """One step of generator and discriminators, forward and backward."""
    generator = count_network(
        lambda: Generator(config, torch.empty(1, 76)),
        lambda module: module(torch.empty(1, config.noise)),
    )
    # Discriminators side by side: the first layer is one matrix over all numbers.
    width = config.critic_hidden
    critic = 2.0 * (len(PARTS) + 1) * (FEATURES * width + width**2 + width)
    # Of the discriminators' step, real and fake poses, and of the generator's.
    return 3.0 * config.batch_size * (generator.flops + 3 * critic)


def relative_ray(config: RelativeFieldConfig) -> float:
    """One ray through the coarse and the fine network."""
    encoded = 24 * (1 + 2 * config.frequencies) + 72
    network = count_network(
        lambda: RelativeNetwork(config),
        lambda module: module(torch.empty(1, encoded), torch.empty(1, 72)),
    )
    return network.flops * (2 * config.coarse + config.fine)
