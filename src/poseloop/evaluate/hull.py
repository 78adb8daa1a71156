"""Mesh from generated views: visual hull of soft masks, then marching cubes.

The paper's carving starts from a fitted SMPL-X body (fact sheet 4.5); a hull needs no body and
no optimisation, so that a difference between two methods is a difference between their pictures.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.sparse import csr_matrix
from skimage.measure import marching_cubes

from poseloop.evaluate.config import Hull
from poseloop.evaluate.views import image_axes, linear_weights

_BLANK = 0.02
_FALLBACK_RADIUS = 0.05


@dataclass(frozen=True)
class Mesh:
    """Triangles in the normalised view frame, wound counter-clockwise seen from outside.

    Attributes
    ----------
    vertices : (V, 3) float64 array
    faces : (F, 3) int64 array
    fallback : bool
        The masks had no common volume at the configured level (see `visual_hull`).
    """

    vertices: np.ndarray
    faces: np.ndarray
    fallback: bool = False


@lru_cache(maxsize=4)
def _directions(azimuths: tuple[float, ...]) -> tuple[tuple[tuple[int, bool], ...], ...]:
    """Views grouped by line of sight: (view, seen from the other side) of each group."""
    groups: dict[float, list[tuple[int, bool]]] = {}
    first: dict[float, float] = {}
    for index, azimuth in enumerate(azimuths):
        line = round(azimuth % 180, 3)
        opposite = round((azimuth - first.setdefault(line, azimuth)) % 360, 3) != 0
        groups.setdefault(line, []).append((index, opposite))
    return tuple(map(tuple, groups.values()))


@lru_cache(maxsize=4)
def _columns(azimuth: float, resolution: int, size: int) -> csr_matrix:
    """Matrix that reads a row of a picture at every (x, z) of the grid."""
    centre = (np.arange(resolution) + 0.5) / resolution - 0.5
    x, z = np.meshgrid(centre, centre, indexing="ij")
    right = image_axes(np.array([azimuth]))[0, 0]
    column = 0.5 + x.ravel() * right[0] + z.ravel() * right[2]
    return csr_matrix(linear_weights(column, size))


def occupancy(
    masks: np.ndarray, azimuths: np.ndarray, resolution: int, softness: float
) -> np.ndarray:
    """Soft visual hull on a grid of the unit cube.

    Opposite orthographic views have mirrored silhouettes, so they are averaged first: two
    pictures of one line of sight that disagree vote, they do not both carve. Lines of sight are
    joined by a soft minimum ``-t log mean exp(-m / t)``. At t = 0 it is the minimum, and masks of
    one body give its visual hull; at t > 0 a line of sight alone in its dissent needs a mask below
    ``level - t log D`` (D lines) to carve, which keeps limbs that one generated view has
    weakened.

    Parameters
    ----------
    masks : (K, S, S) float array
        In [0, 1].
    azimuths : (K,) array
        Degrees.
    resolution : int
        Voxels R along each side.
    softness : float
        The temperature t.

    Returns
    -------
    (R, R, R) float32 array
        Indexed x, y, z at voxel centres ``(i + 0.5) / R - 0.5``.
    """
    size = masks.shape[-1]
    azimuths = tuple(float(azimuth) for azimuth in azimuths)
    row = 0.5 - ((np.arange(resolution) + 0.5) / resolution - 0.5)
    lines = linear_weights(row, size) @ masks.astype(np.float32)
    fields = []
    for group in _directions(azimuths):
        pictures = [lines[view][:, ::-1] if opposite else lines[view] for view, opposite in group]
        silhouette = np.mean(pictures, 0)
        fields.append(_columns(azimuths[group[0][0]], resolution, size) @ silhouette.T)
    field = np.stack(fields)
    if softness == 0:
        joined = field.min(0)
    else:
        # The least line of sight is taken out of the sum, so that no term can overflow.
        least = field.min(0)
        heat = np.exp((least - field) * np.float32(1 / softness)).mean(0)
        joined = least - np.float32(softness) * np.log(heat)
    return joined.reshape(resolution, resolution, resolution).transpose(0, 2, 1)


def visual_hull(masks: np.ndarray, azimuths: np.ndarray, config: Hull) -> Mesh:
    """Mesh of the views' visual hull.

    Where no voxel reaches the level, the mesh is taken at half of the greatest occupancy, and
    where even that is blank it is an octahedron of radius 0.05 at the origin: a sample without a
    body gets large distances instead of being left out. Both are marked `fallback` and counted
    in the metrics.

    Parameters
    ----------
    masks : (K, S, S) float array
        In [0, 1], from `masks.soft_masks` or a renderer.
    azimuths : (K,) array
        Degrees.
    """
    resolution = config.resolution
    field = occupancy(masks, azimuths, resolution, config.softness)
    peak = float(field.max())
    fallback = peak <= config.level
    if peak < _BLANK:
        return _octahedron()
    level = peak / 2 if fallback else config.level
    occupied = field >= level
    low, high = _bounds(occupied)
    # A border of zeros closes a body that touches the cube's side.
    block = np.pad(field, 1)[tuple(slice(a, b + 3) for a, b in zip(low, high, strict=True))]
    block = np.where(np.isfinite(block), block, 0)
    vertices, faces, _, _ = marching_cubes(block, level, gradient_direction="ascent")
    vertices = (vertices + low - 1 + 0.5) / resolution - 0.5
    return Mesh(vertices.astype(np.float64), faces.astype(np.int64), fallback)


def _bounds(occupied: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    spans = [np.flatnonzero(occupied.any(axis)) for axis in ((1, 2), (0, 2), (0, 1))]
    return np.array([span[0] for span in spans]), np.array([span[-1] for span in spans])


def _octahedron() -> Mesh:
    vertices = _FALLBACK_RADIUS * np.vstack([np.eye(3), -np.eye(3)])
    faces = [[0, 1, 2], [1, 3, 2], [3, 4, 2], [4, 0, 2], [1, 0, 5], [3, 1, 5], [4, 3, 5], [0, 4, 5]]
    return Mesh(vertices, np.array(faces, dtype=np.int64), True)
