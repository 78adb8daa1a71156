"""The two sets of variables that the diffusion model denoises, as tokens of one layout.

Both give (..., T, C): one token for each joint and a last one for shape and camera. Entries beyond
a token's own are masked. Values are normalised with the mean and spread of the training labels.
"""

from abc import abstractmethod

import roma
import torch
from torch import Tensor, nn

from poseloop.hmr.geometry import project
from poseloop.hmr.ik import inverse_kinematics, twist_angles
from poseloop.hmr.skeleton_body import LEAF_PARENTS, Bodies, SkeletonBody

# Smaller spreads would turn the noise of joints that never move into large rotations.
_LEAST_SPREAD = 0.05


class Parameters(nn.Module):
    """A layout of tokens.

    Parameters
    ----------
    body : SkeletonBody
    sizes : T numbers
        Entries of each token.
    joints : T - 1 numbers
        The joint of the tree at which each token but the last sits.

    Attributes
    ----------
    mask : (T, C) bool
        Which entries exist.
    """

    def __init__(self, body: SkeletonBody, sizes: list[int], joints: list[int]) -> None:
        super().__init__()
        self.body = body
        self.token_joints = joints
        mask = torch.arange(max(sizes)) < torch.tensor(sizes)[:, None]
        self.register_buffer("mask", mask)
        self.register_buffer("centre", torch.zeros(mask.shape))
        self.register_buffer("spread", torch.ones(mask.shape))

    def fit(self, bodies: Bodies, intrinsics: Tensor) -> None:
        """Take mean and spread from labels: bodies of N people, intrinsics (N, 3)."""
        raw = self._pack(bodies, intrinsics)
        self.centre.copy_(raw.mean(0))
        self.spread.copy_(raw.std(0).clamp(min=_LEAST_SPREAD))

    def encode(self, bodies: Bodies, intrinsics: Tensor) -> Tensor:
        """Bodies and intrinsics (..., 3) to normalised tokens (..., T, C)."""
        return (self._pack(bodies, intrinsics) - self.centre) / self.spread * self.mask

    def decode(self, tokens: Tensor, intrinsics: Tensor) -> Bodies:
        """Normalised tokens (..., T, C) and intrinsics (..., 3) to bodies."""
        return self._unpack(tokens * self.spread + self.centre, intrinsics)

    def _gather(self, *parts: Tensor) -> Tensor:
        """Put the entries of tokens (..., k, c), given in order, into (..., T, C)."""
        size = self.mask.shape[1]
        return torch.cat([nn.functional.pad(p, (0, size - p.shape[-1])) for p in parts], -2)

    @abstractmethod
    def _pack(self, bodies: Bodies, intrinsics: Tensor) -> Tensor: ...

    @abstractmethod
    def _unpack(self, raw: Tensor, intrinsics: Tensor) -> Bodies: ...


class RotationParameters(Parameters):
    """SMPL's 24 rotations in 6-D, betas and the camera (scale, u, v)."""

    def __init__(self, body: SkeletonBody) -> None:
        self.betas = body.rest_shapes.shape[-1]
        super().__init__(body, [6] * 24 + [self.betas + 3], list(range(24)))

    def _pack(self, bodies: Bodies, intrinsics: Tensor) -> Tensor:
        columns = bodies.rotations[..., :2].flatten(-2)
        rest = torch.cat([bodies.betas, bodies.camera], -1)
        return self._gather(columns, rest.unsqueeze(-2))

    def _unpack(self, raw: Tensor, intrinsics: Tensor) -> Bodies:
        rotations = roma.special_gramschmidt(raw[..., :24, :6].unflatten(-1, (3, 2)))
        betas, camera = raw[..., 24, : self.betas], raw[..., 24, self.betas : self.betas + 3]
        return Bodies(rotations, betas, camera)


class JointParameters(Parameters):
    """29 joints (u, v, d), 23 twists (cosine, sine), betas and the camera's scale.

    The released model's variables (fact sheet ADHMR 2.1), but the depth of the pelvis comes from
    the predicted scale and not from the ground truth.
    """

    def __init__(self, body: SkeletonBody) -> None:
        self.betas = body.rest_shapes.shape[-1]
        sizes = [3] + [5] * 23 + [3] * 5 + [self.betas + 1]
        super().__init__(body, sizes, [*range(24), *LEAF_PARENTS])

    def _pack(self, bodies: Bodies, intrinsics: Tensor) -> Tensor:
        points = self.body.points(bodies)
        places = project(points, bodies.camera, intrinsics)
        angles = twist_angles(bodies.rotations, self.body.rest_points(bodies.betas))
        twists = torch.stack([angles.cos(), angles.sin()], -1)
        uvd = torch.cat([places, points[..., 2:]], -1)
        rest = torch.cat([bodies.betas, bodies.camera[..., :1]], -1)
        inner = torch.cat([uvd[..., 1:24, :], twists], -1)
        return self._gather(uvd[..., :1, :], inner, uvd[..., 24:, :], rest.unsqueeze(-2))

    def _unpack(self, raw: Tensor, intrinsics: Tensor) -> Bodies:
        betas, scale = raw[..., 29, : self.betas], raw[..., 29, self.betas, None, None]
        scale = scale.clamp(min=0.05)
        places, depth = raw[..., :29, :2], raw[..., :29, 2:3]
        focal, centre = intrinsics[..., None, :1], intrinsics[..., None, 1:]
        near = (1.0 - depth * scale / focal).clamp(min=0.1)
        across = ((places - centre) * near - (places[..., :1, :] - centre)) / scale
        points = torch.cat([across * across.new_tensor([1.0, -1.0]), depth], -1)
        points = points - points[..., :1, :]
        shape = raw.shape[:-2]
        rotations = inverse_kinematics(
            points.reshape(-1, 29, 3),
            raw[..., 1:24, 3:5].reshape(-1, 23, 2),
            self.body.rest_points(betas).reshape(-1, 29, 3),
        ).view(*shape, 24, 3, 3)
        camera = torch.cat([scale.squeeze(-1), places[..., 0, :]], -1)
        return Bodies(rotations, betas, camera)


PARAMETERS = {"rotations": RotationParameters, "joints_twists": JointParameters}
"""By the name in config."""
