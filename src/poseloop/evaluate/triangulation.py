"""3D joints from heat maps of orthographic views, by adding their logarithms in space."""

import numpy as np
import torch
import torch.nn.functional as F

from poseloop.evaluate.config import Triangulation
from poseloop.evaluate.views import image_axes, linear_weights


def triangulate(heat: torch.Tensor, azimuths: np.ndarray, config: Triangulation) -> torch.Tensor:
    """Most likely place of each joint given all views.

    The sum of the views' log-probabilities is taken on a coarse grid of the unit cube. Its maximum
    is where most views agree: a view that has swapped left and right is out-voted, and `floor`
    bounds its veto. A finer grid around the maximum gives the place below voxel size: the centre
    of mass of the probabilities there.

    Parameters
    ----------
    heat : (K, J, h, h) tensor
        Log-probabilities of one subject's views.
    azimuths : (K,) array
        Degrees.

    Returns
    -------
    (J, 3) tensor
        View frame, normalised units.
    """
    peak = heat.amax((2, 3), keepdim=True)
    relative = torch.logaddexp(heat - peak, torch.full_like(peak, float(np.log(config.floor))))
    centres = _coarse_maximum(relative, azimuths, config.coarse)
    half = config.radius / config.coarse
    line = torch.linspace(-half, half, config.fine)
    offsets = torch.cartesian_prod(line, line, line)
    points = centres[:, None] + offsets
    axes = torch.from_numpy(image_axes(azimuths)[:, :2]).to(heat)
    plane = torch.einsum("kij,npj->knpi", axes, points) * torch.tensor([2.0, -2.0])
    views, joints = heat.shape[:2]
    sampled = F.grid_sample(
        relative.reshape(views * joints, 1, *heat.shape[2:]),
        plane.reshape(views * joints, 1, len(offsets), 2),
        mode="bicubic",
        padding_mode="border",
        align_corners=False,
    )
    total = sampled.view(views, joints, len(offsets)).sum(0)
    return centres + torch.softmax(total, -1) @ offsets


def _coarse_maximum(relative: torch.Tensor, azimuths: np.ndarray, size: int) -> torch.Tensor:
    """Grid point with the greatest sum over views. (J, 3)."""
    views, joints, side, _ = relative.shape
    centre = (np.arange(size) + 0.5) / size - 0.5
    x, z = (grid.ravel() for grid in np.meshgrid(centre, centre, indexing="ij"))
    right = image_axes(azimuths)[:, 0]
    # Corners of the cube fall beside some pictures: they read the border, not an empty zero,
    # because zero is the peak.
    inside = 0.5 / side, 1 - 0.5 / side
    columns = np.stack(
        [linear_weights(np.clip(0.5 + x * r[0] + z * r[2], *inside), side) for r in right]
    )
    rows = torch.from_numpy(linear_weights(np.clip(0.5 - centre, *inside), side))
    lines = torch.einsum("yr,kjrc->jykc", rows, relative).reshape(joints * size, views * side)
    # One matrix product over views and columns together: the sum over views is part of it.
    reader = torch.from_numpy(columns).permute(0, 2, 1).reshape(views * side, size * size)
    best = (lines @ reader).view(joints, -1).argmax(-1)
    grid = torch.from_numpy(centre).to(relative)
    y, xz = best // (size * size), best % (size * size)
    return torch.stack([grid[xz // size], grid[y], grid[xz % size]], -1)
