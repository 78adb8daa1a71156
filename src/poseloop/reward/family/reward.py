"""The reward of an arm, from its config."""

from functools import partial

import torch
from torch import nn

from poseloop.reward.family.config import JointReward, MapReward
from poseloop.reward.family.problem import Reward
from poseloop.reward.perceptual import PerceptualDistance
from poseloop.reward.posescore import PoseScore, presence
from poseloop.runtime.errors import UserError


def make_reward(
    config: MapReward | JointReward, posescore: PoseScore, jointscore: nn.Module | None
) -> Reward:
    """Clean latents and joints to rewards.

    Parameters
    ----------
    posescore : frozen; its own readings and distance do not count here
    jointscore : frozen; needed by a reward on joints alone

    Raises
    ------
    UserError
        PoseScore was never trained with a reading that is asked for.
    """
    if isinstance(config, JointReward):
        return jointscore
    known = [set(reading) for reading in posescore.config.readings]
    for reading in config.readings:
        if set(reading) not in known:
            raise UserError(
                f"reward.readings: {reading} is not among the readings of posescore.yaml"
            )
    perceptual = PerceptualDistance() if config.perceptual else None
    return partial(_map_reward, config, posescore, perceptual)


def _map_reward(
    config: MapReward,
    posescore: PoseScore,
    perceptual: PerceptualDistance | None,
    latents: torch.Tensor,
    joints: torch.Tensor,
) -> torch.Tensor:
    rewards = []
    for reading in presence(config.readings):
        seen = reading.expand(len(latents), -1)
        reward = posescore(latents, joints, config.distance, seen)
        if perceptual is not None:
            read = latents * reading.to(latents).view(1, 1, 2, 1, 1, 1)
            maps = torch.sigmoid(posescore.predictor(read))
            difference = perceptual.to(latents.device)(maps, posescore.targets(joints))
            reward = reward - config.perceptual * difference
        rewards.append(reward)
    return torch.stack(rewards).mean(0)
