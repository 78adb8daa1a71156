"""Edges of a triangle mesh and what lies beside them."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Edges:
    """The E edges of a mesh.

    vertices : (E, 2) int64
        Ends, the smaller index first.
    faces : (E, 2) int64
        Triangles on either side; both the same where the mesh ends.
    of_face : (F, 3) int64
        Edges of each triangle: of its corners 0-1, 1-2 and 2-0.
    """

    vertices: np.ndarray
    faces: np.ndarray
    of_face: np.ndarray


def mesh_edges(faces: np.ndarray) -> Edges:
    """Edges of the triangles (F, 3), in lexicographic order of their ends.

    Of an edge with more than two triangles the first and the last are kept.
    """
    ends = np.sort(faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1).astype(np.int64)
    count = int(faces.max(initial=0)) + 1
    keys, edge = np.unique(ends[:, 0] * count + ends[:, 1], return_inverse=True)
    owner = np.arange(len(ends)) // 3
    beside = np.empty((len(keys), 2), np.int64)
    beside[edge, 1] = owner
    beside[edge[::-1], 0] = owner[::-1]
    return Edges(np.stack([keys // count, keys % count], 1), beside, edge.reshape(-1, 3))


def valences(edges: np.ndarray, count: int) -> np.ndarray:
    """Number of edges (E, 2) at each of `count` vertices."""
    return np.bincount(edges.ravel(), minlength=count)
