"""JointScore: a reward on joints, beside PoseScore's on skeleton maps.

Reviewers asked for a reward by a human pose estimator (fact sheet DrPose 1.2). It has PoseScore's
latents, network, readings and augmentation and differs in what it compares: a joint is the mean of
its heat map, and the reward is minus its distance from the true joint in the image.
"""

from collections.abc import Sequence

import torch
from torch import nn

from poseloop.body.joints import JOINT_NAMES
from poseloop.render.skeleton import project_views
from poseloop.reward.config import DistanceConfig, PoseScoreConfig
from poseloop.reward.posescore import PoseScore

# Distances count in tenths of an image, which gives them the size of a Dice distance.
_UNIT = 0.1


def soft_argmax(logits: torch.Tensor) -> torch.Tensor:
    """Mean positions (..., 2) of heat maps (..., S, S), x right and y up in [-0.5, 0.5]."""
    size = logits.shape[-1]
    centres = (torch.arange(size, device=logits.device, dtype=logits.dtype) + 0.5) / size - 0.5
    weights = logits.flatten(-2).softmax(-1).unflatten(-1, (size, size))
    x = (weights.sum(-2) * centres).sum(-1)
    y = -(weights.sum(-1) * centres).sum(-1)
    return torch.stack([x, y], -1)


class JointScore(PoseScore):
    """The reward: heat maps of a view's joints, their means, and the distance to the true ones.

    Distances are means over views and joints of image joints, in tenths of the image; the distance
    of PoseScore's config does not count.

    Parameters
    ----------
    config : PoseScore's
    mirrored : views mirrored in the model's layout
    """

    stream = "jointscore"

    def __init__(
        self,
        config: PoseScoreConfig,
        latent_channels: int,
        latent_size: int,
        mirrored: Sequence[int],
    ) -> None:
        super().__init__(config, latent_channels, latent_size, mirrored)
        head = self.predictor.conv_out
        self.predictor.conv_out = nn.Conv2d(
            head.in_channels, len(JOINT_NAMES) * self.predictor.upscale**2, 3, padding=1
        )

    def targets(self, joints: torch.Tensor) -> torch.Tensor:
        """(B, 24, 3) joints, normalised view frame, to image joints (B, V, 24, 2)."""
        joints2d = project_views(joints, self.config.azimuths).clone()
        joints2d[:, list(self.mirrored), :, 0] *= -1
        return joints2d

    def apart(
        self, predicted: torch.Tensor, targets: torch.Tensor, distance: DistanceConfig
    ) -> torch.Tensor:
        """Distance (B,) of heat maps (B, V, 24, S, S) from image joints (B, V, 24, 2)."""
        # The root is smooth at zero, where a joint is found exactly.
        squared = (soft_argmax(predicted) - targets).square().sum(-1)
        return (squared + 1e-6).sqrt().mean((1, 2)) / _UNIT
