"""Two small estimators of pose from one picture (fact sheet PoseGen 2).

`RegressionEstimator` regresses rotations, shape and camera step by step, as SPIN;
`KinematicEstimator` finds joints by heat maps and solves rotations analytically, as HybrIK.
"""

from typing import NamedTuple

import roma
import torch
from torch import Tensor, nn

from poseloop.posegen.config_estimators import BackboneConfig, EstimatorConfig
from poseloop.posegen.skeleton import SurfaceBody, pose_joints
from poseloop.posegen.swing_twist import LEAVES, SINGLES, solve


class Estimate(NamedTuple):
    """What an estimator says of B pictures.

    rotmats : (B, 24, 3, 3)
        The pelvis in the camera frame (x right, y up, z towards it), the others in their parents'.
    betas : (B, K)
    joints : (B, 24, 3)
        Relative to the pelvis, camera frame, metres: forward kinematics of the above.
    joints2d : (B, 24, 2)
        In the picture, x right and y up in [-0.5, 0.5].
    coordinates : (B, 24, 3) or None
        Joints before inverse kinematics.
    twists : (B, 16, 2) or None
        (cos, sin) of the twists, in the order of `swing_twist.SINGLES`.
    log_heat : (B, 24, H, H) or None
        Logarithms of the joints' heat maps, rows downward; each map sums to one.
    """

    rotmats: Tensor
    betas: Tensor
    joints: Tensor
    joints2d: Tensor
    coordinates: Tensor | None = None
    twists: Tensor | None = None
    log_heat: Tensor | None = None


def to_input(rgb: Tensor) -> Tensor:
    """(B, S, S, 3) uint8 pictures to (B, 3, S, S) float32 in [-1, 1]."""
    pictures = rgb.movedim(-1, 1).to(torch.float32) / 127.5 - 1
    return pictures.contiguous(memory_format=torch.channels_last)


def _convolution(channels: int, out: int, kernel: int, stride: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels, out, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(out),
        nn.ReLU(inplace=True),
    )


class Backbone(nn.Module):
    """Pictures (B, 3, S, S) to maps at S/8 and S/16 and a feature vector."""

    def __init__(self, config: BackboneConfig, size: int) -> None:
        super().__init__()
        half, quarter, eighth, last = config.channels
        self.fine = nn.Sequential(
            _convolution(3, half, 5, 2),
            _convolution(half, quarter, 3, 2),
            _convolution(quarter, quarter, 3, 1),
            _convolution(quarter, eighth, 3, 2),
            _convolution(eighth, eighth, 3, 1),
        )
        self.coarse = nn.Sequential(
            _convolution(eighth, last, 3, 2), _convolution(last, last, 3, 1)
        )
        self.pool = nn.Sequential(
            nn.Flatten(), nn.Linear(last * (size // 16) ** 2, config.features), nn.ReLU()
        )

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Maps (B, C, S/8, S/8) and (B, C', S/16, S/16), and features (B, F)."""
        fine = self.fine(pictures)
        coarse = self.coarse(fine)
        return fine, coarse, self.pool(coarse)


class RegressionEstimator(nn.Module):
    """Iterative regression of 6-D rotations, shape and weak-perspective camera.

    Starts from the mean parameters of the training set, buffer `start`, and adds corrections.
    """

    def __init__(self, config: EstimatorConfig, body: SurfaceBody, size: int) -> None:
        super().__init__()
        self.body = body
        self.iterations = config.iterations
        self.backbone = Backbone(config.backbone, size)
        count = 24 * 6 + body.num_betas + 3
        start = torch.zeros(count)
        start[: 24 * 6] = torch.eye(3)[:, :2].flatten().repeat(24)
        start[-3] = 0.6
        self.register_buffer("start", start)
        self.regressor = nn.Sequential(
            nn.Linear(config.backbone.features + count, config.hidden),
            nn.ReLU(),
            nn.Linear(config.hidden, config.hidden),
            nn.ReLU(),
            nn.Linear(config.hidden, count),
        )
        nn.init.normal_(self.regressor[-1].weight, std=0.001)
        nn.init.zeros_(self.regressor[-1].bias)

    @torch.no_grad()
    def initialise(self, rotmats: Tensor) -> None:
        """Take the mean of rotations (N, 24, 3, 3) as the start."""
        self.start[: 24 * 6] = rotmats[..., :2].mean(0).flatten()

    def forward(self, pictures: Tensor) -> Estimate:
        """Pictures (B, 3, S, S) in [-1, 1]."""
        *_, features = self.backbone(pictures)
        parameters = self.start.expand(len(pictures), -1)
        for _ in range(self.iterations):
            parameters = parameters + self.regressor(torch.cat([features, parameters], dim=1))
        rotations, betas, camera = parameters.split([24 * 6, self.body.num_betas, 3], dim=1)
        rotmats = roma.special_gramschmidt(rotations.reshape(-1, 24, 3, 2))
        joints = pose_joints(rotmats, self.body.rest_joints(betas)).joints
        joints2d = camera[:, None, :1] * joints[..., :2] + camera[:, None, 1:]
        return Estimate(rotmats, betas, joints, joints2d)

    def locate(self, pictures: Tensor) -> Tensor:
        """`Estimate.joints2d` of pictures (B, 3, S, S)."""
        return self(pictures).joints2d


class KinematicEstimator(nn.Module):
    """Heat maps and depths of joints, twists and shape; then analytic inverse kinematics."""

    def __init__(self, config: EstimatorConfig, body: SurfaceBody, size: int) -> None:
        super().__init__()
        self.body = body
        self.backbone = Backbone(config.backbone, size)
        _, _, eighth, last = config.backbone.channels
        self.lateral = nn.Conv2d(last, eighth, 1)
        # Maps at S/4 from features at S/8: four places of each feature's cell.
        self.maps = nn.Sequential(
            nn.ReLU(),
            _convolution(eighth, eighth, 3, 1),
            nn.Conv2d(eighth, 4 * 48, 1),
            nn.PixelShuffle(2),
        )
        sizes = [body.num_betas, 1, 2 * len(SINGLES), 6 * len(LEAVES)]
        self.sizes = sizes
        self.heads = nn.Sequential(
            nn.Linear(config.backbone.features, config.hidden),
            nn.ReLU(),
            nn.Linear(config.hidden, sum(sizes)),
        )
        nn.init.normal_(self.heads[-1].weight, std=0.01)
        bias = torch.zeros(sum(sizes))
        bias[sizes[0]] = 0.5  # log of a crop of 1.65 m
        twist = bias[sizes[0] + 1 : -sizes[3]]
        twist[0::2] = 1.0
        bias[-sizes[3] :] = torch.eye(3)[:, :2].flatten().repeat(len(LEAVES))
        self.heads[-1].bias.data.copy_(bias)

    def initialise(self, rotmats: Tensor) -> None:
        """Nothing to start from: positions come from the picture."""

    def forward(self, pictures: Tensor) -> Estimate:
        """Pictures (B, 3, S, S) in [-1, 1]."""
        features, log_heat, depth = self._look(pictures)
        joints2d = self._expected(log_heat)
        z = (log_heat.exp() * depth).flatten(2).sum(-1)
        betas, log_scale, twists, leaves = self.heads(features).split(self.sizes, dim=1)
        plane = (joints2d - joints2d[:, :1]) * log_scale.exp()[..., None]
        coordinates = torch.cat([plane, (z - z[:, :1])[..., None]], dim=-1)
        twists = nn.functional.normalize(twists.unflatten(1, (-1, 2)), dim=-1)
        leaves = roma.special_gramschmidt(leaves.reshape(len(leaves), -1, 3, 2))
        rest = self.body.rest_joints(betas)
        rotmats, joints = solve(coordinates, rest, twists, leaves)
        return Estimate(rotmats, betas, joints, joints2d, coordinates, twists, log_heat)

    def locate(self, pictures: Tensor) -> Tensor:
        """`Estimate.joints2d` of pictures (B, 3, S, S): what the maps say, without kinematics."""
        return self._expected(self._look(pictures)[1])

    def _look(self, pictures: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Features (B, F), logarithms of heat maps and depths, both (B, 24, S/4, S/4)."""
        fine, coarse, features = self.backbone(pictures)
        merged = fine + nn.functional.interpolate(self.lateral(coarse), scale_factor=2)
        heat, depth = self.maps(merged).chunk(2, dim=1)
        return features, heat.flatten(2).log_softmax(-1).view_as(heat), depth

    @staticmethod
    def _expected(log_heat: Tensor) -> Tensor:
        """Mean places (B, 24, 2) of heat maps."""
        share, side = log_heat.exp(), log_heat.shape[-1]
        axis = (torch.arange(side, device=log_heat.device) + 0.5) / side - 0.5
        return torch.stack([(share.sum(2) * axis).sum(-1), -(share.sum(3) * axis).sum(-1)], -1)


Estimator = RegressionEstimator | KinematicEstimator


def make_estimator(config: EstimatorConfig, body: SurfaceBody, size: int) -> Estimator:
    """The estimator of a configuration, for pictures of `size` pixels (a multiple of 16)."""
    kinds = {"regression": RegressionEstimator, "kinematic": KinematicEstimator}
    return kinds[config.kind](config, body, size)
