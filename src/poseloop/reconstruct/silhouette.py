"""Signed distance of pixels to a mesh's silhouettes, with gradient to the vertices.

A silhouette is where triangles that face the camera meet triangles that do not. Which of these
edges bound the whole shape, and which pixels are inside, the ray caster tells; the distance of a
pixel to its nearest edge is then an ordinary function of the edge's two ends.
"""

from collections.abc import Sequence

import numpy as np
import torch
from scipy.ndimage import distance_transform_edt
from scipy.spatial import cKDTree

from poseloop.reconstruct.topology import Edges
from poseloop.reconstruct.visibility import to_views
from poseloop.render.cameras import pixel_centres, to_pixels

_STEP = 1.0
"""An edge bounds the shape if, this many pixels away from its front triangle, nothing is seen."""


def signed_distance(mask: np.ndarray) -> np.ndarray:
    """Distance of pixel centres (S, S) to the border of a boolean mask, in pixels.

    Positive inside; the border runs half-way between pixels. An empty or full mask is infinitely
    far from its border.
    """
    if not mask.any() or mask.all():
        return np.where(mask, np.inf, -np.inf)
    outside, inside = distance_transform_edt(~mask), distance_transform_edt(mask)
    return np.where(mask, inside - 0.5, 0.5 - outside)


def grid(size: int) -> np.ndarray:
    """Image coordinates (S * S, 2) of pixel centres, row by row."""
    x, y = pixel_centres(size)
    return np.stack(np.broadcast_arrays(x, y[:, None]), -1).reshape(-1, 2)


def silhouette_distance(
    vertices: torch.Tensor,
    faces: torch.Tensor,
    edges: Edges,
    seen: np.ndarray,
    azimuths: Sequence[float],
    reach: float,
) -> torch.Tensor:
    """Signed distance of every pixel to the silhouette of its view.

    Parameters
    ----------
    vertices : (V, 3) tensor
        View frame; the result has gradient to it.
    faces : (F, 3) tensor
    edges : Edges
        Of the faces.
    seen : (C, S, S) bool array
        Pixels that see the mesh.
    azimuths : C azimuths in degrees
    reach : float
        Greatest distance in pixels; beyond it the result is constant.

    Returns
    -------
    (C, S, S) tensor
        Pixels; positive inside, within [-reach, reach].
    """
    views = to_views(vertices, azimuths)[..., :2]
    size = seen.shape[-1]
    centres, plane = grid(size), views.detach().cpu().numpy()
    triangles = faces.cpu().numpy()
    pixels, nearest, signs, base = [], [], [], []
    for view, mask in enumerate(seen):
        signed = signed_distance(mask)
        base.append(np.clip(signed, -reach, reach))
        outer, middles = _outline(plane[view], triangles, edges, mask)
        near = np.flatnonzero(np.abs(signed.ravel()) < reach)
        if not len(outer) or not len(near):
            continue
        _, index = cKDTree(middles).query(centres[near])
        pixels.append(view * size**2 + near)
        nearest.append(np.stack([np.full(len(near), view), outer[index]], 1))
        signs.append(np.where(mask.ravel()[near], 1.0, -1.0))
    result = torch.from_numpy(np.stack(base)).to(vertices)
    if not pixels:
        return result
    pixel = np.concatenate(pixels)
    view, edge = torch.from_numpy(np.concatenate(nearest)).to(vertices.device).T
    start, end = torch.from_numpy(edges.vertices).to(vertices.device)[edge].T
    start, end = views[view, start], views[view, end]
    point = torch.from_numpy(centres[pixel % size**2]).to(vertices)
    along = (((point - start) * (end - start)).sum(-1)).detach()
    along = (along / (end - start).square().sum(-1).detach().clamp_min(1e-12)).clamp(0, 1)
    offset = point - (start + along[:, None] * (end - start))
    # A tiny constant under the root: its gradient at zero would be infinite.
    distance = size * (offset.square().sum(-1) + 1e-10).sqrt()
    sign = torch.from_numpy(np.concatenate(signs)).to(vertices)
    index = torch.from_numpy(pixel).to(vertices.device)
    values = (sign * distance).clamp(-reach, reach)
    return result.flatten().index_put((index,), values).view(result.shape)


def _outline(
    plane: np.ndarray, triangles: np.ndarray, edges: Edges, mask: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Indices of the edges that bound the shape in one view, and their middles (n, 2).

    Parameters
    ----------
    plane : (V, 2) array
        Image coordinates of the vertices.
    mask : (S, S) bool array
        Pixels that see the mesh.
    """
    a, b, c = (plane[triangles[:, corner]] for corner in range(3))
    (bx, by), (cx, cy) = (b - a).T, (c - a).T
    front = (bx * cy - by * cx > 0)[edges.faces]
    open_edge = edges.faces[:, 0] == edges.faces[:, 1]
    found = np.flatnonzero((front[:, 0] != front[:, 1]) | open_edge)
    start, end = plane[edges.vertices[found]].transpose(1, 0, 2)
    middles = (start + end) / 2
    facing = np.where(front[found, 0], edges.faces[found, 0], edges.faces[found, 1])
    across = (end - start)[:, ::-1] * [1.0, -1.0]
    across /= np.maximum(np.linalg.norm(across, axis=1), 1e-12)[:, None]
    inwards = ((plane[triangles[facing]].mean(1) - middles) * across).sum(1)
    size = mask.shape[-1]
    beyond = middles - np.sign(inwards)[:, None] * across * (_STEP / size)
    place = np.clip(np.rint(to_pixels(beyond, size)).astype(int), 0, size - 1)
    bounding = ~mask[place[:, 1], place[:, 0]]
    return found[bounding], middles[bounding]
