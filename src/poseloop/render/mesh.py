"""A coloured triangle mesh, its normals, and the picture set that a back end makes of it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Light:
    """A directional light and an ambient one.

    Parameters
    ----------
    direction : (3,) array
        Towards the light, in the view frame; need not be of unit length.
    colour : (3,) array
        Of the directional light, at normal incidence.
    ambient : (3,) array
        Of the light from everywhere.
    """

    direction: np.ndarray
    colour: np.ndarray
    ambient: np.ndarray

    def shade(self, colours: np.ndarray, normals: np.ndarray) -> np.ndarray:
        """Reflected colour (n, 3) in [0, 1] of surfaces of `colours` and unit `normals` (n, 3).

        Half-Lambert: the cosine is wrapped so that the unlit side keeps some form, as it does
        under a real sky.
        """
        towards = np.asarray(self.direction, np.float32)
        towards = towards / np.linalg.norm(towards)
        diffuse = (normals @ towards * np.float32(0.5) + np.float32(0.5)) ** 2
        light = diffuse[:, None] * np.asarray(self.colour, np.float32)
        light += np.asarray(self.ambient, np.float32)
        return np.clip(colours * light, 0.0, 1.0)


@dataclass(frozen=True)
class Mesh:
    """A surface and its colour.

    vertices : (V, 3) array
        View frame.
    faces : (F, 3) int array
    normals : (V, 3) array
        Unit length.
    attributes : (V, D) array
        Whatever `paint` needs to know; interpolated between vertices.
    paint : function
        Attributes (n, D) to colours (n, 3) in [0, 1], before light.
    """

    vertices: np.ndarray
    faces: np.ndarray
    normals: np.ndarray
    attributes: np.ndarray
    paint: Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Pictures:
    """What a back end returns for C cameras.

    rgb : (C, S, S, 3) uint8
        Shaded colour on white.
    normal : (C, S, S, 3) uint8
        Normals of the view frame, n * 127.5 + 127.5, times coverage; 128 is background.
    mask : (C, S, S) uint8
        Coverage, 0 to 255.
    """

    rgb: np.ndarray
    normal: np.ndarray
    mask: np.ndarray


def vertex_normals(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Area-weighted unit normals (V, 3) of vertices (V, 3); counter-clockwise faces (F, 3)."""
    corners = vertices[faces]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    total = np.stack(
        [
            np.bincount(faces.ravel(), np.repeat(normals[:, axis], 3), minlength=len(vertices))
            for axis in range(3)
        ],
        axis=1,
    )
    return unit(total)


def unit(vectors: np.ndarray) -> np.ndarray:
    """Vectors (..., 3) at unit length; a zero vector stays zero."""
    length = np.sqrt(np.einsum("...i,...i->...", vectors, vectors))
    return vectors / np.maximum(length, 1e-12)[..., None]


def to_pictures(samples: np.ndarray, supersample: int) -> Pictures:
    """Average supersampled images and quantise them.

    Parameters
    ----------
    samples : (C, S*supersample, S*supersample, 7) float array
        Colour in [0, 1], unit normal and coverage 1 where something was hit; else zero.
    """
    if supersample > 1:
        fine = samples
        blocks = [(i, j) for i in range(supersample) for j in range(supersample)]
        samples = sum(fine[:, i::supersample, j::supersample] for i, j in blocks)
        samples = samples / np.float32(supersample**2)
        samples[..., 3:6] = unit(samples[..., 3:6]) * samples[..., 6:]
    rgb, normal, coverage = samples[..., :3], samples[..., 3:6], samples[..., 6]
    return Pictures(
        _quantise(rgb + (1.0 - coverage)[..., None], 255.0, 0.0),
        _quantise(normal, 127.5, 127.5),
        _quantise(coverage, 255.0, 0.0),
    )


def _quantise(values: np.ndarray, scale: float, offset: float) -> np.ndarray:
    return np.rint(values * np.float32(scale) + np.float32(offset)).astype(np.uint8)
