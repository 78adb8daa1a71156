"""Normal pictures of a mesh with gradient to its vertices."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F

from poseloop.reconstruct.silhouette import grid
from poseloop.reconstruct.visibility import Visible, to_views

_SLANTED = 0.05
"""Least share of a triangle's area that a view must see for its corners' weights to move."""


def vertex_normals(vertices: torch.Tensor, faces: torch.Tensor) -> torch.Tensor:
    """Area-weighted unit normals (V, 3) of vertices (V, 3); counter-clockwise faces (F, 3)."""
    corners = vertices[faces]
    across = torch.linalg.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    total = torch.zeros_like(vertices)
    for corner in range(3):
        total = total.index_add(0, faces[:, corner], across)
    return F.normalize(total, dim=-1, eps=1e-12)


def barycentric(
    vertices: torch.Tensor,
    faces: torch.Tensor,
    visible: Visible,
    azimuths: Sequence[float],
    size: int,
) -> torch.Tensor:
    """Weights (H, 3) of the triangles' corners at the centres of the pixels that see them.

    They move with the vertices, but for triangles seen too much from the side to tell how.
    """
    view = visible.pixel // size**2
    corners = to_views(vertices, azimuths)[view[:, None], faces[visible.triangle]]
    a, b, c = corners[..., :2].unbind(1)
    centres = torch.from_numpy(grid(size)).to(vertices)
    point = centres[visible.pixel % size**2]

    def double_area(p: torch.Tensor, q: torch.Tensor, r: torch.Tensor) -> torch.Tensor:
        return (q - p)[:, 0] * (r - p)[:, 1] - (q - p)[:, 1] * (r - p)[:, 0]

    total = double_area(a, b, c)
    whole = torch.linalg.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    frontal = (total > _SLANTED * whole.norm(dim=-1))[:, None]
    safe = torch.where(frontal[:, 0], total, torch.ones_like(total))
    weights = torch.stack([double_area(b, c, point), double_area(c, a, point)], -1)
    weights = weights / safe[:, None]
    weights = torch.cat([weights, 1 - weights.sum(-1, keepdim=True)], -1)
    return torch.where(frontal, weights, torch.full_like(weights, 1 / 3))


def visible_normals(
    vertices: torch.Tensor,
    faces: torch.Tensor,
    visible: Visible,
    azimuths: Sequence[float],
    size: int,
) -> torch.Tensor:
    """Unit normals (H, 3), view frame, of the surface at the pixels that see it.

    Gradients reach the vertices through their normals and through the corners' weights.
    """
    weights = barycentric(vertices, faces, visible, azimuths, size)
    normals = vertex_normals(vertices, faces)[faces[visible.triangle]]
    return F.normalize((weights[..., None] * normals).sum(1), dim=-1, eps=1e-12)
