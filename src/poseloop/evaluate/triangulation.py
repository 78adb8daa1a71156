"""3D joints from heat maps of orthographic views.

The views' log-probabilities are added in space, which out-votes a view that has swapped left and
right. Where legs cross, several views can be misled about one joint alone, and the joint jumps to
the other leg; so the joints are chosen together, along the body's tree, with the lengths of bones
as the only prior (pictorial structures, as in Burenius et al. 2013). It is a prior on no pose.
"""

import numpy as np
import torch
import torch.nn.functional as F

from poseloop.body.joints import PARENTS
from poseloop.evaluate.config import Triangulation
from poseloop.evaluate.views import image_axes, linear_weights


def triangulate(
    heat: torch.Tensor,
    depth: torch.Tensor,
    azimuths: np.ndarray,
    bones: torch.Tensor,
    config: Triangulation,
) -> torch.Tensor:
    """Most likely place of each joint given all views.

    Parameters
    ----------
    heat : (K, 24, h, h) tensor
        Log-probabilities of one subject's views.
    depth : (K, 24, bins) tensor
        Log-probabilities of the joints' depths in each view, nearest first.
    azimuths : (K,) array
        Degrees.
    bones : (23, 2) tensor
        Mean and standard deviation of each bone's length, normalised units.
    config : Triangulation
        `floor` bounds the veto of one view; `slack` widens the bones' deviations.

    Returns
    -------
    (24, 3) tensor
        View frame, normalised units.
    """
    relative = _bounded(heat, (2, 3), config.floor)
    # The depths of a view are the columns of the view from its left, a quarter turn on.
    lines = config.depth_weight * _bounded(depth, (2,), config.floor)
    columns = F.interpolate(lines, heat.shape[-1], mode="linear", align_corners=False)
    relative = torch.cat([relative, columns[:, :, None].expand_as(relative)])
    azimuths = np.concatenate([azimuths, np.asarray(azimuths) + 90])
    total = _sum_over_views(relative, azimuths, config.coarse)
    scores, places = local_maxima(total, config.candidates)
    chosen = choose_along_tree(scores, places, bones + torch.tensor([0.0, config.slack]))
    return _refine(chosen, relative, azimuths, config)


def _bounded(log_probability: torch.Tensor, axes: tuple[int, ...], floor: float) -> torch.Tensor:
    """Relative to the peak over `axes`, and not below the logarithm of `floor`."""
    peak = log_probability.amax(axes, keepdim=True)
    return torch.logaddexp(log_probability - peak, torch.full_like(peak, float(np.log(floor))))


def local_maxima(total: torch.Tensor, count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The greatest local maxima of each joint's volume.

    Parameters
    ----------
    total : (J, R, R, R) tensor
        Indexed y, x, z.

    Returns
    -------
    scores : (J, count) tensor
        Far below any score where a volume has fewer maxima.
    places : (J, count, 3) tensor
        View frame, normalised units.
    """
    size = total.shape[-1]
    around = total
    for axis in (1, 2, 3):
        before, after = around.narrow(axis, 0, size - 1), around.narrow(axis, 1, size - 1)
        around = around.clone()
        for part, neighbour in ((0, after), (1, before)):
            window = around.narrow(axis, part, size - 1)
            torch.maximum(window, neighbour, out=window)
    peaks = torch.where(total == around, total, torch.full_like(total, -1e6))
    scores, index = peaks.flatten(1).topk(count)
    row, column, depth = index // size**2, index // size % size, index % size
    places = torch.stack([column, row, depth], -1)
    return scores, (places + 0.5) / size - 0.5


def choose_along_tree(
    scores: torch.Tensor, places: torch.Tensor, bones: torch.Tensor
) -> torch.Tensor:
    """One candidate per joint: greatest sum of scores and of the bones' normal log-densities.

    Exact, by dynamic programming from the limbs' ends to the pelvis and back.

    Parameters
    ----------
    scores : (24, M) tensor
    places : (24, M, 3) tensor
    bones : (23, 2) tensor
        Mean and standard deviation of lengths, in the units of `places`.

    Returns
    -------
    (24, 3) tensor
    """
    scores = scores.clone()
    best_child = {}
    for joint in range(len(PARENTS) - 1, 0, -1):
        parent = PARENTS[joint]
        length = torch.cdist(places[parent], places[joint])
        mean, deviation = bones[joint - 1]
        joined = scores[joint] - 0.5 * ((length - mean) / deviation).square()
        best, best_child[joint] = joined.max(1)
        scores[parent] += best
    chosen = [int(scores[0].argmax())]
    for joint in range(1, len(PARENTS)):
        chosen.append(int(best_child[joint][chosen[PARENTS[joint]]]))
    return places[torch.arange(len(PARENTS)), chosen]


def _refine(
    centres: torch.Tensor, relative: torch.Tensor, azimuths: np.ndarray, config: Triangulation
) -> torch.Tensor:
    """Centre of mass of the joint probability on a finer grid around each centre. (J, 3)."""
    half = config.radius / config.coarse
    line = torch.linspace(-half, half, config.fine)
    offsets = torch.cartesian_prod(line, line, line)
    axes = torch.from_numpy(image_axes(azimuths)[:, :2]).to(relative)
    plane = torch.einsum("kij,npj->knpi", axes, centres[:, None] + offsets)
    views, joints = relative.shape[:2]
    sampled = F.grid_sample(
        relative.reshape(views * joints, 1, *relative.shape[2:]),
        (plane * torch.tensor([2.0, -2.0])).reshape(views * joints, 1, len(offsets), 2),
        mode="bicubic",
        padding_mode="border",
        align_corners=False,
    )
    total = sampled.view(views, joints, len(offsets)).sum(0)
    return centres + torch.softmax(total, -1) @ offsets


def _sum_over_views(relative: torch.Tensor, azimuths: np.ndarray, size: int) -> torch.Tensor:
    """Sum of all views at the grid's points. (J, R, R, R), indexed y, x, z."""
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
    return (lines @ reader).view(joints, size, size, size)
