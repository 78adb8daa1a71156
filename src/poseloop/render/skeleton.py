"""Skeleton maps: each bone of a projected skeleton as a soft capsule, differentiable."""

from collections.abc import Sequence

import numpy as np
import torch

from poseloop.body.joints import BONES
from poseloop.render.cameras import pixel_centres, view_rotation


def project_views(joints: torch.Tensor, azimuths: Sequence[float]) -> torch.Tensor:
    """Orthographic image coordinates of joints in every view.

    Parameters
    ----------
    joints : (..., J, 3) tensor
        View frame, normalised.
    azimuths : V azimuths in degrees

    Returns
    -------
    (..., V, J, 2) tensor, x right and y up in [-0.5, 0.5].
    """
    rows = np.stack([view_rotation(azimuth)[:2] for azimuth in azimuths])
    rotation = torch.as_tensor(rows, dtype=joints.dtype, device=joints.device)
    return torch.einsum("vab,...jb->...vja", rotation, joints)


def skeleton_maps(
    joints2d: torch.Tensor, size: int, radius: float, softness: float
) -> torch.Tensor:
    """One map per bone: 1 on the bone, 0.5 at `radius` from it, falling to 0.

    The fall is a sigmoid of the distance to the bone's segment, so that a misplaced bone still
    has a gradient (facts/drpose.md 7.2; the paper does not give its thickness).

    Parameters
    ----------
    joints2d : (..., 24, 2) tensor
        x right, y up in [-0.5, 0.5].
    size : int
        Pixels S along each side.
    radius, softness : float
        Of the capsule and of its edge, in image widths.

    Returns
    -------
    (..., 23, S, S) tensor in [0, 1].
    """
    x, y = pixel_centres(size)
    x = torch.as_tensor(x, dtype=joints2d.dtype, device=joints2d.device)
    y = torch.as_tensor(y, dtype=joints2d.dtype, device=joints2d.device)
    parents, children = (list(ends) for ends in zip(*BONES, strict=True))
    start = joints2d[..., parents, :]
    bone = joints2d[..., children, :] - start
    # Pixels relative to the start: (..., 23, S rows, S columns).
    px = (x - start[..., 0, None])[..., None, :]
    py = (y - start[..., 1, None])[..., :, None]
    bx, by = bone[..., 0, None, None], bone[..., 1, None, None]
    along = (px * bx + py * by) / (bx * bx + by * by).clamp_min(1e-8)
    along = along.clamp(0.0, 1.0)
    # A tiny constant under the root: its gradient at zero would be infinite.
    distance = ((px - along * bx) ** 2 + (py - along * by) ** 2 + 1e-10).sqrt()
    return torch.sigmoid((radius - distance) / softness)
