"""A mesh whose colour is a picture, for the renderers."""

import numpy as np

from poseloop.render.mesh import Mesh, vertex_normals


def textured_mesh(
    vertices: np.ndarray, faces: np.ndarray, uv: np.ndarray, texture: np.ndarray
) -> Mesh:
    """A surface coloured by the nearest pixel of `texture`.

    Parameters
    ----------
    vertices : (V, 3)
        View frame.
    faces : (F, 3)
    uv : (V, 2)
        u to the right, v up from the picture's lower edge; beyond [0, 1] the picture repeats.
    texture : (H, W, 3) uint8
    """
    height, width, _ = texture.shape

    def paint(places: np.ndarray) -> np.ndarray:
        columns = np.floor((places[:, 0] % 1.0) * width).astype(int).clip(0, width - 1)
        rows = np.floor((1.0 - places[:, 1] % 1.0) * height).astype(int).clip(0, height - 1)
        return texture[rows, columns].astype(np.float32) / np.float32(255)

    return Mesh(vertices, faces, _smooth_normals(vertices, faces), uv.astype(np.float32), paint)


def _smooth_normals(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Unit normals (V, 3), the same on both sides of a seam of the texture."""
    _, place = np.unique(vertices, axis=0, return_inverse=True)
    place = place.ravel()
    joined = np.zeros((place.max() + 1, 3), vertices.dtype)
    joined[place] = vertices
    return vertex_normals(joined, place[faces])[place]
