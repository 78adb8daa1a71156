"""Where a point of the view frame falls in each orthographic view."""

import numpy as np

from poseloop.render.cameras import view_rotation


def image_axes(azimuths: np.ndarray) -> np.ndarray:
    """Right, up and towards-camera axes of several views.

    Parameters
    ----------
    azimuths : (K,) array
        Degrees.

    Returns
    -------
    (K, 3, 3) float64 array
        Rows right, up, towards the camera, in the view frame. ``axes @ point`` is the point in
        the camera's own frame, its first two entries the picture coordinates in [-0.5, 0.5].
    """
    return np.stack([view_rotation(float(azimuth)) for azimuth in azimuths])


def project(points: np.ndarray, azimuths: np.ndarray) -> np.ndarray:
    """Picture coordinates of points in every view.

    Parameters
    ----------
    points : (..., P, 3) array
        View frame, normalised units.
    azimuths : (K,) array
        Degrees.

    Returns
    -------
    (..., K, P, 2) array
        Column and row coordinates in [0, 1], rightwards and downwards; multiply by the picture's
        size and subtract 0.5 for pixel indices.
    """
    axes = image_axes(azimuths)[:, :2]
    plane = np.einsum("kij,...pj->...kpi", axes, points)
    return np.stack([0.5 + plane[..., 0], 0.5 - plane[..., 1]], -1)


def linear_weights(coordinates: np.ndarray, size: int) -> np.ndarray:
    """Weights that read a line of `size` pixels at `coordinates` by linear interpolation.

    Parameters
    ----------
    coordinates : (P,) array
        In [0, 1] along the line; beyond the outermost pixel centres the line continues as zero.

    Returns
    -------
    (P, size) float32 array
        Each row sums to one inside the line.
    """
    position = np.asarray(coordinates, dtype=np.float64)[:, None] * size - 0.5
    return np.clip(1 - np.abs(position - np.arange(size)), 0, None).astype(np.float32)
