"""Cameras around a subject at the origin: rotations, projection, rays through pixel centres."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

PAPER_AZIMUTHS = (0.0, 45.0, 90.0, 180.0, 270.0, 315.0)
"""Views of DrPose and PSHuman, in degrees (facts/drpose.md 4.2)."""

RAY_START = 4.0
"""Distance at which orthographic rays start; subjects have an AABB diagonal of 1."""


def view_rotation(azimuth: float) -> np.ndarray:
    """Rotation from the view frame to the frame of the camera at `azimuth` degrees: (3, 3).

    Rows are the image's right, up (y) and the direction towards the camera, so that azimuth 0 is
    the identity. The camera stands at (sin a, 0, cos a), the subject's left side (+x) at 90.
    """
    a = np.deg2rad(azimuth)
    c, s = np.round(np.cos(a), 15), np.round(np.sin(a), 15)
    return np.array([[c, 0.0, -s], [0.0, 1.0, 0.0], [s, 0.0, c]])


@dataclass(frozen=True)
class Camera:
    """A camera that looks at the origin and sees [-0.5, 0.5] of the plane through it.

    Parameters
    ----------
    azimuth : float
        Degrees about the y axis, elevation 0 (a tilted camera is a rotated subject).
    distance : float
        Distance from the origin in units of the subject's AABB diagonal; infinity, the default,
        is an orthographic camera. The plane of the origin has the same scale for every distance.
    """

    azimuth: float = 0.0
    distance: float = np.inf

    @property
    def rotation(self) -> np.ndarray:
        """Rotation from the view frame to this camera's frame: (3, 3)."""
        return view_rotation(self.azimuth)

    def project(self, points: np.ndarray) -> np.ndarray:
        """Image coordinates (..., 2), x right and y up in [-0.5, 0.5], of points (..., 3)."""
        local = np.asarray(points) @ self.rotation.T
        return local[..., :2] / (1.0 - local[..., 2:] / self.distance)

    def rays(self, xy: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Origins and unit directions (n, 3), in the view frame, of the rays through xy (n, 2)."""
        plane = np.concatenate([xy, np.zeros((len(xy), 1))], axis=1)
        if np.isinf(self.distance):
            origins = plane + [0.0, 0.0, RAY_START]
            directions = np.broadcast_to([0.0, 0.0, -1.0], origins.shape)
        else:
            origins = np.broadcast_to([0.0, 0.0, self.distance], plane.shape)
            directions = plane - origins
            directions = directions / np.linalg.norm(directions, axis=1, keepdims=True)
        return origins @ self.rotation, directions @ self.rotation


def orthographic_cameras(azimuths: Sequence[float] = PAPER_AZIMUTHS) -> tuple[Camera, ...]:
    """One orthographic camera per azimuth in degrees."""
    return tuple(Camera(float(azimuth)) for azimuth in azimuths)


def pixel_centres(size: int) -> tuple[np.ndarray, np.ndarray]:
    """x (size,) of the columns, growing, and y (size,) of the rows, falling, in [-0.5, 0.5]."""
    x = (np.arange(size) + 0.5) / size - 0.5
    return x, -x


def pixel_window(low: float, high: float, size: int) -> tuple[int, int]:
    """First and one-past-last pixel of `size` that can see the interval [low, high] of x."""
    first = int(np.floor((low + 0.5) * size - 0.5))
    last = int(np.ceil((high + 0.5) * size - 0.5)) + 1
    return min(max(first, 0), size), min(max(last, 0), size)


def to_pixels(xy: np.ndarray, size: int) -> np.ndarray:
    """Column and row (..., 2), as real numbers with pixel centres at integers, of xy (..., 2)."""
    scale = np.array([size, -size])
    return np.asarray(xy) * scale + (size - 1) / 2.0
