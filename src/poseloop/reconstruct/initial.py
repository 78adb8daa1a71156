"""The surface that is carved: a fitted body, joined with the hull where the views are unsure."""

import igl
import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components
from skimage.measure import marching_cubes

from poseloop.reconstruct.topology import mesh_edges

_MARGIN = 4
"""Voxels around the body's box beyond which it occupies nothing."""


def large_components(
    vertices: np.ndarray, faces: np.ndarray, least: float
) -> tuple[np.ndarray, np.ndarray]:
    """The connected parts that have at least the share `least` of the triangles, or the largest.

    A body loses its eyes, a hull its crumbs.

    Parameters
    ----------
    vertices : (V, 3) array
    faces : (F, 3) array
    """
    ends = mesh_edges(faces).vertices
    count = len(vertices)
    graph = csr_matrix((np.ones(len(ends)), tuple(ends.T)), (count, count))
    _, label = connected_components(graph, directed=False)
    size = np.bincount(label[faces[:, 0]])
    kept = size >= min(least * len(faces), size.max())
    chosen = kept[label[faces[:, 0]]]
    used = np.unique(faces[chosen])
    number = np.zeros(count, np.int64)
    number[used] = np.arange(len(used))
    return vertices[used], number[faces[chosen]]


def union_surface(
    vertices: np.ndarray, faces: np.ndarray, occupancy: np.ndarray, level: float
) -> tuple[np.ndarray, np.ndarray]:
    """Surface around a body and a hull.

    Parameters
    ----------
    vertices : (V, 3) array
        View frame, normalised units.
    faces : (F, 3) array
    occupancy : (R, R, R) array
        Of the hull, at voxel centres ``(i + 0.5) / R - 0.5`` of x, y, z.
    level : float
        Occupancy at the surface.

    Returns
    -------
    vertices, faces
        Closed, also where it touches the side of the cube.
    """
    resolution = len(occupancy)
    joined = np.maximum(occupancy, _body_occupancy(vertices, faces, resolution, level))
    found, triangles, _, _ = marching_cubes(np.pad(joined, 1), level, gradient_direction="ascent")
    return (found - 0.5) / resolution - 0.5, triangles.astype(np.int64)


def _body_occupancy(
    vertices: np.ndarray, faces: np.ndarray, resolution: int, level: float
) -> np.ndarray:
    """Occupancy (R, R, R) that crosses `level` at the body's surface and rises by a logistic."""
    low = np.floor((vertices.min(0) + 0.5) * resolution).astype(int) - _MARGIN
    high = np.ceil((vertices.max(0) + 0.5) * resolution).astype(int) + _MARGIN
    low, high = np.clip(low, 0, resolution), np.clip(high, 0, resolution)
    axes = [(np.arange(a, b) + 0.5) / resolution - 0.5 for a, b in zip(low, high, strict=True)]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), -1)
    distance, *_ = igl.signed_distance(
        points.reshape(-1, 3),
        vertices.astype(np.float64),
        faces.astype(np.int64),
        sign_type=igl.SIGNED_DISTANCE_TYPE_FAST_WINDING_NUMBER,
    )
    depth = np.clip(-distance * resolution + np.log(level / (1 - level)), -20, 20)
    field = np.zeros((resolution,) * 3, np.float32)
    inside = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    field[inside] = (1 / (1 + np.exp(-depth))).reshape(points.shape[:3])
    return field
