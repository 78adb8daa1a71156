"""Generator of poses and cameras, and part-wise discriminators (fact sheet PoseGen 1.1 to 1.3).

A pose is a vector of 72 rotation coordinates: the pelvis without heading, then 69 of `body_pose`;
a camera is azimuth, elevation, roll and distance. Both are bounded: every coordinate is a tanh
within its range. The heading of the body turns with the camera's azimuth, which is free.

A generator from noise alone, as released, learns the middle of the prior and not what is rare
there, such as people who lie, unless it is large and trained for long. So by default each noise
picks a pose and a camera of the prior, which the network changes by a bounded amount, as PoseAug
changes recorded poses (Gong et al., CVPR 2021; fact sheet PoseGen 4).
"""

from typing import NamedTuple

import numpy as np
import roma
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from poseloop.data.poses import Poses
from poseloop.motion.augment import measured_range
from poseloop.posegen.config import GeneratorConfig
from poseloop.posegen.config_images import CameraRange
from poseloop.runtime.seeds import torch_rng

PARTS = (
    (4, 7, 10),
    (5, 8, 11),
    (9, 13, 16, 18, 20, 22),
    (9, 14, 17, 19, 21, 23),
    (0, 1, 2, 3, 6, 9, 13, 14, 16, 17),
    (9, 12, 15),
    tuple(range(24)),
)
"""Joints that each discriminator sees: legs, arms, trunk, head, all (fact sheet 1.3)."""


# Values nearer to a bound than this share would be at infinity before the tanh.
_INNER = 0.97
# Axes of the prior's covariance with less variance than this have none: the pelvis has no heading.
_FLAT = 1e-8


class Drawn(NamedTuple):
    """B poses and cameras.

    pose : (B, 72)
        Axis-angle of the pelvis without heading and of joints 1 to 23, radians.
    camera : (B, 4)
        Azimuth, elevation and roll in radians, distance in metres.
    """

    pose: Tensor
    camera: Tensor

    @classmethod
    def from_values(cls, values: Tensor) -> "Drawn":
        """Of coordinates (B, 76), in the order of `Bounds`."""
        return cls(values[:, :72], values[:, 72:])

    def joined(self, others: "Drawn") -> "Drawn":
        """These and then `others`."""
        return Drawn(*(torch.cat(pair) for pair in zip(self, others, strict=True)))

    def of(self, rows: Tensor) -> "Drawn":
        """Some of them, or some of them several times."""
        return Drawn(*(value[rows] for value in self))

    def cpu(self) -> "Drawn":
        """The same on the CPU."""
        return Drawn(*(value.cpu() for value in self))


class Bounds(nn.Module):
    """Ranges of the 76 coordinates, the map from real numbers into them, and where draws start.

    Parameters
    ----------
    config : GeneratorConfig
    poses : (N, 72) float array
        Pose vectors that draws start from; their measured ranges, widened, are the joint limits.

    Attributes
    ----------
    starts : (N, 76) buffer
        Real numbers of these poses, each before a camera of the prior.
    """

    def __init__(self, config: GeneratorConfig, poses: np.ndarray) -> None:
        super().__init__()
        low, high = measured_range(poses)
        nearest, furthest = camera_ends(config.camera)
        low, high = np.append(low, nearest), np.append(high, furthest)
        half = (high - low) / 2
        half[:72] *= config.range_factor
        middle = (low + high) / 2
        self._keep("middle", torch.from_numpy(middle).float())
        self._keep("reach", torch.from_numpy(half).float())
        share = (poses - middle[:72]) / np.maximum(half[:72], 1e-6)
        unbounded = np.arctanh(share.clip(-_INNER, _INNER))
        values, axes = np.linalg.eigh(np.cov(unbounded.T))
        mixing = axes * np.sqrt(values.clip(0))
        self._keep("mean", torch.from_numpy(unbounded.mean(0)).float())
        self._keep("mixing", torch.from_numpy(mixing).float())
        turned = (unbounded - unbounded.mean(0)) @ axes
        starts = np.where(values > _FLAT, turned / np.sqrt(values.clip(_FLAT)), 0.0)
        cameras = usual_cameras(config, len(poses), torch_rng(0, "posegen", "starts"))
        raw_cameras = torch.atanh(self.camera_share(cameras).clamp(-_INNER, _INNER))
        self._keep("starts", torch.cat([torch.from_numpy(starts).float(), raw_cameras], dim=1))

    def _keep(self, name: str, value: Tensor) -> None:
        # Rebuilt from the poses wherever a generator is loaded, so no part of its weights.
        self.register_buffer(name, value, persistent=False)

    def forward(self, raw: Tensor) -> Drawn:
        """Real numbers (B, 76) to poses and cameras within the bounds.

        Numbers of a standard normal distribution give poses with the starts' mean and covariance
        (before the tanh), and cameras over all of their range.
        """
        mixed = torch.cat([self.mean + raw[:, :72] @ self.mixing.T, raw[:, 72:]], dim=1)
        return Drawn.from_values(self.middle + self.reach * torch.tanh(mixed))

    def draw_starts(self, count: int, generator: torch.Generator) -> Drawn:
        """Random ones of the poses and cameras that draws start from."""
        rows = torch.randint(len(self.starts), (count,), generator=generator)
        return self(self.starts[rows])

    def camera_share(self, camera: Tensor) -> Tensor:
        """Cameras (B, 4) from the middle of their range, over half of it; 0 if it has no width."""
        return (camera - self.middle[72:]) / self.reach[72:].clamp_min(1e-6)

    def contains(self, drawn: Drawn) -> Tensor:
        """Whether each pose and camera (B,) lies within the bounds."""
        values = torch.cat([drawn.pose, drawn.camera], dim=1)
        return ((values - self.middle).abs() <= self.reach + 1e-4).all(1)


def camera_ends(camera: CameraRange) -> np.ndarray:
    """Least and largest camera (2, 4) of a range, as `Drawn.camera`."""
    angles = np.radians([getattr(camera, name) for name in ("azimuth", "elevation", "roll")])
    return np.vstack([angles, camera.distance]).T


def usual_cameras(config: GeneratorConfig, count: int, generator: torch.Generator) -> Tensor:
    """Cameras (B, 4) of the prior: most where people mostly take pictures, some anywhere."""
    usual = torch.rand((count, 1), generator=generator) < config.usual_share
    share = torch.rand((count, 4), generator=generator)
    near, far = (torch.from_numpy(camera_ends(c)).float() for c in (config.usual, config.camera))
    return torch.where(usual, near[0].lerp(near[1], share), far[0].lerp(far[1], share))


def prior_poses(
    prior: Tensor, config: GeneratorConfig, count: int, generator: torch.Generator
) -> Drawn:
    """Random poses of the prior (N, 72) before cameras of the prior."""
    rows = torch.randint(len(prior), (count,), generator=generator)
    return Drawn(prior[rows], usual_cameras(config, count, generator).to(prior.device))


class Generator(nn.Module):
    """Noise (B, Z) to 76 real numbers, which `Bounds` turns into pose and camera.

    Parameters
    ----------
    config : GeneratorConfig
    starts : (N, 76)
        Of `Bounds`. The first number of a noise picks one of them, unless `config.change` is None.
    """

    def __init__(self, config: GeneratorConfig, starts: Tensor) -> None:
        super().__init__()
        # Rebuilt from poses and config, as the bounds are.
        self.register_buffer("starts", starts, persistent=False)
        change = config.change
        most = None if change is None else torch.tensor([change.pose] * 72 + [change.camera] * 4)
        self.register_buffer("change", most, persistent=False)
        width = config.hidden
        seen = config.noise + (0 if most is None else starts.shape[1])
        layers: list[nn.Module] = []
        for index in range(3):
            layers += [
                nn.Linear(seen if index == 0 else width, width),
                nn.LayerNorm(width),
                nn.LeakyReLU(0.01),
            ]
        self.layers = nn.Sequential(*layers, nn.Linear(width, 76))
        for layer in self.layers:
            if isinstance(layer, nn.Linear):
                nn.init.kaiming_normal_(layer.weight)
        nn.init.zeros_(self.layers[-1].bias)
        if most is not None:
            nn.init.zeros_(self.layers[-1].weight)

    def forward(self, noise: Tensor) -> Tensor:
        """(B, Z) to (B, 76)."""
        if self.change is None:
            return self.layers(noise)
        count = len(self.starts)
        # Of a standard normal number, the distribution function is uniform.
        rows = (torch.special.ndtr(noise[:, 0]) * count).long().clamp_max(count - 1)
        start = self.starts[rows]
        return start + self.change * torch.tanh(self.layers(torch.cat([noise, start], dim=1)))


FEATURES = 24 * 6 + 7
"""Numbers of `describe`."""


def describe(drawn: Drawn) -> Tensor:
    """Numbers (B, 151) without jumps: two columns of each rotation, sines, cosines, distance."""
    six = roma.rotvec_to_rotmat(drawn.pose.reshape(-1, 24, 3))[..., :2].flatten(1)
    angles = drawn.camera[:, :3]
    return torch.cat([six, angles.sin(), angles.cos(), drawn.camera[:, 3:]], dim=1)


class Discriminators(nn.Module):
    """One small network per part and one for the camera: B poses and cameras to (B, 8) scores.

    The networks run side by side: the first layer of all of them is one matrix, masked to the
    numbers that each part sees, the others are batched products.
    """

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        width = config.critic_hidden
        columns = [[6 * joint + i for joint in part for i in range(6)] for part in PARTS]
        columns.append(list(range(24 * 6, FEATURES)))
        nets = [
            [nn.Linear(len(part), width), nn.Linear(width, width), nn.Linear(width, 1)]
            for part in columns
        ]
        seen = torch.zeros(len(columns), width, FEATURES)
        first = torch.zeros_like(seen)
        for row, part in enumerate(columns):
            seen[row, :, part] = 1
            first[row, :, part] = nets[row][0].weight.detach()
        self.register_buffer("seen", seen.flatten(0, 1), persistent=False)
        self.first = nn.Parameter(first.flatten(0, 1))
        self.first_bias = nn.Parameter(torch.cat([net[0].bias.detach() for net in nets]))
        for name, index in (("second", 1), ("third", 2)):
            weight = torch.stack([net[index].weight.detach().T for net in nets])
            bias = torch.stack([net[index].bias.detach()[None] for net in nets])
            self.register_parameter(name, nn.Parameter(weight))
            self.register_parameter(f"{name}_bias", nn.Parameter(bias))

    def forward(self, drawn: Drawn) -> Tensor:
        """Scores of poses and cameras."""
        hidden = F.linear(describe(drawn), self.first * self.seen, self.first_bias)
        hidden = F.leaky_relu(hidden, 0.2).unflatten(1, (len(self.second), -1)).movedim(1, 0)
        hidden = F.leaky_relu(torch.baddbmm(self.second_bias, hidden, self.second), 0.2)
        return torch.baddbmm(self.third_bias, hidden, self.third)[..., 0].T


def pose_vectors(poses: Poses) -> np.ndarray:
    """Pose vectors (N, 72) float32 of poses whose heading is removed."""
    return np.concatenate([poses.global_orient, poses.body_pose], axis=1)


def diversity_loss(
    drawn: Drawn, noise: Tensor, bounds: Bounds, pose_target: float, camera_target: float
) -> Tensor:
    """Hinges on the distance of neighbours in the batch, per distance of their noises.

    A mode-seeking term: the release has none, and a generator that seeks errors soon finds one
    hard pose, or one hard camera, which no discriminator sees, and stays there.

    Parameters
    ----------
    pose_target, camera_target : float
        Distances of two poses, radians, and of two cameras, each coordinate over half its range,
        for a unit distance of their noises.
    """
    camera = bounds.camera_share(drawn.camera)
    between = _apart(noise).clamp_min(1e-6)
    return sum(
        (1 - _apart(values) / between / target).clamp_min(0).square().mean()
        for values, target in ((drawn.pose, pose_target), (camera, camera_target))
    )


def _apart(values: Tensor) -> Tensor:
    """Distance (B,) of each row from the one before."""
    return (values - values.roll(1, 0)).norm(dim=1)
