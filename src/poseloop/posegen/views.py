"""Cameras around a person: orientation, the square crop that follows the joints, projection.

The camera frame has x right, y up and z towards the camera. A crop is a square of `size` metres in
the plane through `centre`, so that coordinates in it, divided by `size`, are those of
`render.cameras.Camera` at the distance `distance / size`.
"""

import roma
import torch
from torch import Tensor

MARGIN = 0.5
"""Metres that hands, feet and head reach beyond the outermost joints, both sides together."""


def camera_rotation(azimuth: Tensor, elevation: Tensor, roll: Tensor) -> Tensor:
    """Rotation (B, 3, 3) from the world (y up) to the camera; angles (B,) in radians.

    The world turns by the azimuth about y, tilts towards the camera by the elevation, and turns
    by the roll about the line of sight.
    """
    zero = torch.zeros_like(azimuth)
    turn = roma.rotvec_to_rotmat(torch.stack([zero, azimuth, zero], dim=-1))
    tilt = roma.rotvec_to_rotmat(torch.stack([elevation, zero, zero], dim=-1))
    spin = roma.rotvec_to_rotmat(torch.stack([zero, zero, roll], dim=-1))
    return spin @ tilt @ turn


def crop_of(joints: Tensor) -> tuple[Tensor, Tensor]:
    """Centre (B, 3) and side (B,) in metres of the crop around joints (B, 24, 3), camera frame."""
    low, high = joints.amin(1), joints.amax(1)
    return (low + high) / 2, (high - low)[:, :2].amax(1) + MARGIN


def project(points: Tensor, centre: Tensor, size: Tensor, distance: Tensor) -> Tensor:
    """Crop coordinates (B, P, 2), x right and y up in [-0.5, 0.5], of points (B, P, 3).

    Parameters
    ----------
    points, centre : (B, P, 3), (B, 3)
        Camera frame, metres.
    size, distance : (B,)
        Side of the crop, and of the camera from its centre, metres.
    """
    local = points - centre[:, None]
    depth = 1 - local[..., 2:] / distance[:, None, None]
    return local[..., :2] / depth / size[:, None, None]
