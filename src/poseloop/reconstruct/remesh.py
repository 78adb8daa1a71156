"""Split long edges, collapse short ones, flip those that even out valences.

All edges of a pass are changed at once: a pass chooses edges that do not touch each other, so
that no change invalidates another one (continuous remeshing, Palfinger 2022, in NumPy).
"""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_matrix, csr_matrix

from poseloop.reconstruct.topology import Edges, mesh_edges, valences

_TURN = 0.2
"""Least cosine between a triangle's normal before and after a collapse or flip."""
_REGULAR = 6


@dataclass(frozen=True)
class Surface:
    """A triangle mesh with numbers at its vertices.

    vertices : (V, 3) float array
    faces : (F, 3) int64 array
    values : (V, D) float array
        Carried along: a new vertex has the mean of the two it comes from.
    """

    vertices: np.ndarray
    faces: np.ndarray
    values: np.ndarray


def remesh(surface: Surface, lengths: np.ndarray, tolerance: float) -> Surface:
    """One pass each of splits, collapses and flips.

    Parameters
    ----------
    lengths : (V,) array
        Wanted edge length at each vertex.
    tolerance : float
        Edges are split above ``(1 + tolerance)`` times the wanted length and collapsed below
        ``(1 - tolerance)`` times it.
    """
    carried = np.concatenate([surface.values, lengths[:, None]], 1)
    surface = Surface(surface.vertices, surface.faces, carried)
    surface = split(surface, _relative_lengths(surface) > 1 + tolerance)
    ratio = _relative_lengths(surface)
    surface = collapse(surface, np.where(ratio < 1 - tolerance, ratio, np.inf))
    surface = flip(surface)
    return Surface(surface.vertices, surface.faces, surface.values[:, :-1])


def _relative_lengths(surface: Surface) -> np.ndarray:
    """Lengths of the edges over those wanted at their ends; the last column of values."""
    ends = mesh_edges(surface.faces).vertices
    start, end = surface.vertices[ends].transpose(1, 0, 2)
    return np.linalg.norm(end - start, axis=1) / surface.values[ends, -1].mean(1)


def split(surface: Surface, chosen: np.ndarray) -> Surface:
    """Put a vertex on the middle of each chosen edge and divide the triangles beside it.

    Parameters
    ----------
    chosen : (E,) bool array
        Edges in the order of `mesh_edges`.
    """
    edges, faces, count = mesh_edges(surface.faces), surface.faces, len(surface.vertices)
    middle = np.full(len(chosen), -1)
    middle[chosen] = count + np.arange(chosen.sum())
    ends = edges.vertices[chosen]
    on_face = middle[edges.of_face]
    number = (on_face >= 0).sum(1)
    # Turn each triangle so that a lone split edge, or the first of two, comes first.
    lone = (on_face >= 0).argmax(1)
    first = np.where(number == 2, ((on_face < 0).argmax(1) + 1) % 3, lone)
    turn = (first[:, None] + np.arange(3)) % 3
    a, b, c = np.take_along_axis(faces, turn, 1).T
    m, n, p = np.take_along_axis(on_face, turn, 1).T
    patterns = {
        0: [(a, b, c)],
        1: [(a, m, c), (m, b, c)],
        2: [(m, b, n), (a, m, n), (a, n, c)],
        3: [(a, m, p), (m, b, n), (p, n, c), (m, n, p)],
    }
    parts = [
        np.stack(corners, 1)[number == splits]
        for splits, triangles in patterns.items()
        for corners in triangles
    ]
    return Surface(
        np.concatenate([surface.vertices, surface.vertices[ends].mean(1)]),
        np.concatenate(parts),
        np.concatenate([surface.values, surface.values[ends].mean(1)]),
    )


def collapse(surface: Surface, cost: np.ndarray) -> Surface:
    """Join the ends of edges at their middles, cheapest first, none in another's neighbourhood.

    An edge stays where its collapse would change the topology or turn a triangle over.

    Parameters
    ----------
    cost : (E,) array
        Infinite for edges that must stay.
    """
    vertices, faces = surface.vertices, surface.faces
    edges, count = mesh_edges(faces), len(surface.vertices)
    ends = edges.vertices
    adjacency = _adjacency(ends, count)
    candidates = np.flatnonzero(np.isfinite(cost))
    candidates = candidates[_keeps_topology(ends[candidates], adjacency)]
    candidates = candidates[_keeps_sides(surface, ends, candidates)]
    if not len(candidates):
        return surface
    rank = np.full(len(ends), len(ends))
    rank[candidates[np.argsort(cost[candidates], kind="stable")]] = np.arange(len(candidates))
    around = _least_around(_least_at(rank, ends, count), ends)
    chosen = candidates[(around[ends[candidates]] == rank[candidates, None]).all(1)]

    keep, gone = ends[chosen].T
    vertices, values = vertices.copy(), surface.values.copy()
    vertices[keep] = (vertices[keep] + vertices[gone]) / 2
    values[keep] = (values[keep] + values[gone]) / 2
    target = np.arange(count)
    target[gone] = keep
    faces = target[faces]
    flat = (faces == np.roll(faces, 1, axis=1)).any(1)
    return _compact(Surface(vertices, faces[~flat], values))


def flip(surface: Surface) -> Surface:
    """Turn edges where that brings the valences of the four vertices nearer to six."""
    vertices, faces = surface.vertices, surface.faces
    edges, count = mesh_edges(faces), len(surface.vertices)
    first, second = edges.faces.T
    inner = np.flatnonzero(first != second)
    first, second = first[inner], second[inner]
    ends = edges.vertices[inner]
    # Corners in the order in which the first triangle is wound: a to b, then its apex c.
    place = (edges.of_face[first] == inner[:, None]).argmax(1)
    turned = np.take_along_axis(faces[first], (place[:, None] + np.arange(3)) % 3, 1)
    a, b, c = turned.T
    d = faces[second].sum(1) - ends.sum(1)

    excess = valences(edges.vertices, count) - _REGULAR
    before = np.abs(excess[a]) + np.abs(excess[b]) + np.abs(excess[c]) + np.abs(excess[d])
    after = np.abs(excess[a] - 1) + np.abs(excess[b] - 1)
    after += np.abs(excess[c] + 1) + np.abs(excess[d] + 1)
    known = edges.vertices[:, 0] * count + edges.vertices[:, 1]
    new = np.minimum(c, d) * count + np.maximum(c, d)
    allowed = (after < before) & (c != d) & ~np.isin(new, known)
    mean = _normals(vertices, a, b, c) + _normals(vertices, b, a, d)
    for corners in ((a, d, c), (d, b, c)):
        allowed &= _cosine(_normals(vertices, *corners), mean) > _TURN
    candidates = np.flatnonzero(allowed)
    if not len(candidates):
        return surface
    order = np.argsort((after - before)[candidates], kind="stable")
    rank = np.empty(len(candidates), np.int64)
    rank[order] = np.arange(len(candidates))
    corners = np.stack([a, b, c, d], 1)[candidates]
    least = np.full(count, len(candidates))
    np.minimum.at(least, corners, rank[:, None])
    chosen = candidates[(least[corners] == rank[:, None]).all(1)]
    faces = faces.copy()
    faces[first[chosen]] = np.stack([a, d, c], 1)[chosen]
    faces[second[chosen]] = np.stack([d, b, c], 1)[chosen]
    return Surface(vertices, faces, surface.values)


def neighbour_mean(edges: Edges, count: int) -> csr_matrix:
    """Matrix (V, V) that replaces each vertex's values by the mean of its neighbours'."""
    adjacency = _adjacency(edges.vertices, count)
    degree = np.maximum(np.asarray(adjacency.sum(1)).ravel(), 1)
    return csr_matrix(adjacency.multiply(1 / degree[:, None]))


def _adjacency(ends: np.ndarray, count: int) -> csr_matrix:
    rows, columns = np.concatenate([ends, ends[:, ::-1]]).T
    return coo_matrix((np.ones(len(rows)), (rows, columns)), (count, count)).tocsr()


def _keeps_topology(ends: np.ndarray, adjacency: csr_matrix) -> np.ndarray:
    """Edges whose ends share two neighbours, neither of them of valence three."""
    shared = adjacency[ends[:, 0]].multiply(adjacency[ends[:, 1]]).tocsr()
    valence = np.asarray(adjacency.sum(1)).ravel()
    spare = shared @ (valence <= 3)
    return (np.diff(shared.indptr) == 2) & (spare == 0)


def _keeps_sides(surface: Surface, ends: np.ndarray, candidates: np.ndarray) -> np.ndarray:
    """Candidate edges whose collapse turns no triangle over."""
    vertices, faces = surface.vertices, surface.faces
    if not len(candidates):
        return np.zeros(0, bool)
    count = len(vertices)
    corner = csr_matrix(
        (np.ones(faces.size), (faces.ravel(), np.arange(faces.size) // 3)), (count, len(faces))
    )
    keeps = np.ones(len(candidates), bool)
    middle = vertices[ends[candidates]].mean(1)
    for side in (0, 1):
        own, other = ends[candidates, side], ends[candidates, 1 - side]
        fan = corner[own].tocoo()
        triangles = faces[fan.col]
        apart = (triangles != other[fan.row, None]).all(1)
        fan_row, triangles = fan.row[apart], triangles[apart]
        old = vertices[triangles]
        moved = np.where(
            (triangles == own[fan_row, None])[..., None], middle[fan_row][:, None], old
        )
        turned = _cosine(_triangle_normals(moved), _triangle_normals(old)) <= _TURN
        keeps[fan_row[turned]] = False
    return keeps


def _least_at(rank: np.ndarray, ends: np.ndarray, count: int) -> np.ndarray:
    """Least rank of the edges at each vertex."""
    least = np.full(count, len(rank))
    np.minimum.at(least, ends, rank[:, None])
    return least


def _least_around(at: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Least value at each vertex and its neighbours."""
    around = at.copy()
    np.minimum.at(around, ends[:, 0], at[ends[:, 1]])
    np.minimum.at(around, ends[:, 1], at[ends[:, 0]])
    return around


def _normals(vertices: np.ndarray, a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
    return _triangle_normals(vertices[np.stack([a, b, c], 1)])


def _triangle_normals(corners: np.ndarray) -> np.ndarray:
    """Normals (n, 3), of length twice the area, of corners (n, 3, 3)."""
    return np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])


def _cosine(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    length = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return (a * b).sum(1) / np.maximum(length, 1e-30)


def _compact(surface: Surface) -> Surface:
    """Without vertices that no triangle uses."""
    used = np.zeros(len(surface.vertices), bool)
    used[surface.faces] = True
    number = np.cumsum(used) - 1
    return Surface(surface.vertices[used], number[surface.faces], surface.values[used])
