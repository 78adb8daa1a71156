"""Vertex colours by back-projection of the colour views, and what no view sees filled in."""

from collections.abc import Sequence

import numpy as np
from scipy.ndimage import map_coordinates
from scipy.sparse import diags, identity
from scipy.sparse.linalg import spsolve

from poseloop.reconstruct.config import Texture
from poseloop.reconstruct.remesh import neighbour_mean
from poseloop.reconstruct.topology import mesh_edges
from poseloop.render.cameras import RAY_START, Camera, to_pixels
from poseloop.render.mesh import vertex_normals
from poseloop.render.raycast import cast

_GREY = 0.5
_HOLD = 1e3


def vertex_colours(
    vertices: np.ndarray,
    faces: np.ndarray,
    rgb: np.ndarray,
    azimuths: Sequence[float],
    view_weights: Sequence[float],
    config: Texture,
) -> np.ndarray:
    """Colour of every vertex, from all views that see it.

    A view's weight is its own times a power of the cosine at which it sees the vertex (fact sheet
    4.5: the square). Vertices that no view sees take the colours around them: the harmonic
    function on the surface with the seen ones as its border.

    Parameters
    ----------
    vertices : (V, 3) array
        View frame, normalised units.
    faces : (F, 3) array
    rgb : (C, S, S, 3) uint8 array

    Returns
    -------
    (V, 3) array in [0, 1]
    """
    total = np.zeros((len(vertices), 3))
    weight = np.zeros(len(vertices))
    normals = vertex_normals(vertices, faces)
    for azimuth, picture, share in zip(azimuths, rgb, view_weights, strict=True):
        camera = Camera(float(azimuth))
        cosine = normals @ camera.rotation[2]
        seen = _seen(vertices, faces, camera, picture.shape[0], config.depth_tolerance)
        gain = np.where(seen & (cosine > config.least_cosine), share * cosine**config.power, 0)
        place = to_pixels(camera.project(vertices), picture.shape[0])
        colour = np.stack(
            [
                map_coordinates(channel, place[:, ::-1].T, order=1, mode="nearest")
                for channel in picture.astype(np.float64).transpose(2, 0, 1) / 255
            ],
            1,
        )
        total += gain[:, None] * colour
        weight += gain
    known = weight > 0
    colours = np.full((len(vertices), 3), _GREY)
    colours[known] = total[known] / weight[known, None]
    return np.clip(_fill(colours, known, faces), 0, 1)


def _seen(
    vertices: np.ndarray, faces: np.ndarray, camera: Camera, size: int, tolerance: float
) -> np.ndarray:
    """Vertices (V,) that lie on the nearest surface of a view, within `tolerance` of depth.

    The depth picture has twice the view's resolution; a vertex asks the least deep of the four
    pixels around it, so that slopes do not hide themselves.
    """
    fine = 2 * size
    hits = cast(vertices, faces, [camera], fine)
    depth = np.full(fine * fine, np.inf)
    depth[hits.pixel] = hits.distance
    depth = depth.reshape(fine, fine)
    place = to_pixels(camera.project(vertices), fine)
    low = np.clip(np.floor(place).astype(int), 0, fine - 2)
    around = [depth[low[:, 1] + i, low[:, 0] + j] for i in (0, 1) for j in (0, 1)]
    deepest = np.max([np.where(np.isfinite(d), d, -np.inf) for d in around], axis=0)
    own = RAY_START - vertices @ camera.rotation[2]
    return own <= deepest + tolerance


def _fill(colours: np.ndarray, known: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Colours with the unknown ones harmonic between the known ones."""
    if known.all() or not known.any():
        return colours
    count = len(colours)
    laplacian = identity(count) - neighbour_mean(mesh_edges(faces), count)
    hold = diags(np.where(known, _HOLD, 0.0))
    # A trace of grey keeps a part without any known vertex determinate.
    faint = 1e-9 * identity(count)
    system = (laplacian.T @ laplacian + hold + faint).tocsc()
    wanted = hold @ colours + 1e-9 * _GREY
    filled = np.stack([spsolve(system, wanted[:, channel]) for channel in range(3)], 1)
    return np.where(known[:, None], colours, filled)
