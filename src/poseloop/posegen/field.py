"""What both articulated fields offer, and the skeleton that moves them."""

from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from poseloop.body.joints import PARENTS
from poseloop.runtime.kernels import running_sum


class Scene(NamedTuple):
    """B posed skeletons before their cameras.

    subject : (B,) int64
        Whose field is rendered.
    rotations, joints : (B, 24, 3, 3), (B, 24, 3)
        As in `skeleton.Posed`, camera frame.
    centre, size, distance : (B, 3), (B,), (B,)
        Crop and camera as in `views`.
    """

    subject: Tensor
    rotations: Tensor
    joints: Tensor
    centre: Tensor
    size: Tensor
    distance: Tensor

    def __getitem__(self, rows: slice | Tensor) -> "Scene":
        return Scene(*(value[rows] for value in tuple(self)))

    def to(self, device: torch.device | str) -> "Scene":
        """The same on another device."""
        return Scene(*(value.to(device) for value in tuple(self)))


class Rendering(NamedTuple):
    """B pictures of S x S pixels, differentiable.

    colour : (B, S, S, 3)
        In [0, 1], premultiplied: black where nothing is.
    opacity : (B, S, S)
    depth : (B, S, S)
        Expected z in metres relative to the crop's centre, towards the camera, times opacity.
    """

    colour: Tensor
    opacity: Tensor
    depth: Tensor


class ArticulatedField(Protocol):
    """A radiance field that a skeleton moves."""

    @property
    def device(self) -> torch.device:
        """Where its weights are, and where scenes must be."""
        ...

    def render(self, scene: Scene, size: int) -> Rendering:
        """Pictures of `size` pixels of every scene."""
        ...


def bone_ends(joint: int) -> list[int]:
    """The joint and its children: what a part's grid and capsules are built around."""
    return [joint, *(child for child in range(24) if PARENTS[child] == joint)]


def segment_distance(points: Tensor, start: Tensor, end: Tensor) -> Tensor:
    """Distances (..., P) of points (..., P, 3) from the segment between `start` and `end` (3,)."""
    bone = end - start
    along = ((points - start) @ bone) / (bone @ bone).clamp_min(1e-8)
    return (points - start - along.clamp(0, 1)[..., None] * bone).norm(dim=-1)


def composite(density: Tensor, colour: Tensor, depth: Tensor, step: Tensor) -> tuple[Tensor, ...]:
    """Volume rendering of R rays with K samples from near to far.

    Parameters
    ----------
    density, step : (R, K)
        1/m and metres.
    colour : (R, K, 3)
    depth : (R, K)
        z of the samples.

    Returns
    -------
    colour (R, 3), opacity (R,), depth times opacity (R,), weights (R, K)
    """
    optical = density * step
    before = running_sum(optical) - optical
    weights = torch.exp(-before) - torch.exp(-before - optical)
    mixed = (weights[..., None] * colour).sum(1)
    return mixed, weights.sum(1), (weights * depth).sum(1), weights
