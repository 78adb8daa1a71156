"""Projection and alignment of root-relative joints."""

import roma
import torch
from torch import Tensor


def project(points: Tensor, camera: Tensor, intrinsics: Tensor) -> Tensor:
    """Crop coordinates of points of the body under its full perspective camera.

    With the pelvis at depth Z = focal / scale, a point (x, y, z) from it lies at depth Z - z;
    an infinite focal length gives the weak-perspective camera of (scale, u, v).

    Parameters
    ----------
    points : (..., J, 3)
        From the pelvis, view frame (x right, y up, z towards the camera), metres.
    camera : (..., 3)
        Scale (crop units per metre) and (u, v) of the pelvis.
    intrinsics : (..., 3)
        Focal length and principal point (u, v), crop units.

    Returns
    -------
    (..., J, 2)
        u to the right and v down, [-1, 1] inside the crop: the order of `grid_sample`.
    """
    scale, pelvis = camera[..., None, :1], camera[..., None, 1:]
    focal, centre = intrinsics[..., None, :1], intrinsics[..., None, 1:]
    flipped = points[..., :2] * points.new_tensor([1.0, -1.0])
    # Nothing lies behind the camera, whatever a bad hypothesis says of its scale.
    depth = (1.0 - points[..., 2:] * scale / focal).clamp(min=0.1)
    return centre + (pelvis - centre + scale * flipped) / depth


def align(source: Tensor, target: Tensor, onto: Tensor | None = None) -> Tensor:
    """Similarity-align points (..., J, 3) to `target` by Procrustes analysis.

    Parameters
    ----------
    onto : (..., V, 3), optional
        Points that are moved by the alignment found on `source`; `source` itself if not given.
    """
    shape = torch.broadcast_shapes(source.shape, target.shape)
    flat = [part.expand(shape).reshape(-1, *shape[-2:]) for part in (source, target)]
    turn, shift, size = roma.rigid_points_registration(*flat, compute_scaling=True)
    moved = source if onto is None else onto
    points = moved.expand(*shape[:-2], *moved.shape[-2:]).reshape(-1, *moved.shape[-2:])
    result = size[:, None, None] * (points @ turn.mT) + shift[:, None]
    return result.reshape(*shape[:-2], *moved.shape[-2:])


def mean_rotation(rotations: Tensor, dim: int) -> Tensor:
    """Chordal mean of rotation matrices (..., 3, 3) over axis `dim`."""
    return roma.special_procrustes(rotations.mean(dim))
