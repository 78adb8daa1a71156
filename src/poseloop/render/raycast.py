"""Ray-casting back end on embree: no GL, no driver, one acceleration structure per subject."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from embreex.mesh_construction import TriangleMesh
from embreex.rtcore_scene import EmbreeScene

from poseloop.render.cameras import Camera, pixel_centres, pixel_window
from poseloop.render.mesh import Light, Mesh, Pictures, to_pictures, unit


@dataclass(frozen=True)
class Hits:
    """The H pixels that see the surface, over C images of S x S pixels.

    pixel : (H,) int64
        Flat index into (C, S, S).
    triangle : (H,) int32
    barycentric : (H, 3) float32
    distance : (H,) float32
        Along the ray.
    """

    pixel: np.ndarray
    triangle: np.ndarray
    barycentric: np.ndarray
    distance: np.ndarray

    def interpolate(self, values: np.ndarray, faces: np.ndarray) -> np.ndarray:
        """Vertex values (V, D) at the hits: (H, D)."""
        corners = faces[self.triangle]
        weights = self.barycentric
        result = values[corners[:, 0]] * weights[:, :1]
        result += values[corners[:, 1]] * weights[:, 1:2]
        result += values[corners[:, 2]] * weights[:, 2:]
        return result


def cast(vertices: np.ndarray, faces: np.ndarray, cameras: Sequence[Camera], size: int) -> Hits:
    """Nearest surface points seen through the pixel centres of every camera.

    Rays are cast only inside the bounding box of the projected vertices.

    Parameters
    ----------
    vertices : (V, 3) array
        View frame.
    faces : (F, 3) array
    cameras : C cameras
    size : int
        Pixels S along each side.
    """
    # The robust flag closes the seams between triangles that a fast intersection test leaves.
    scene = EmbreeScene(robust=True)
    TriangleMesh(scene, vertices.astype(np.float32), _triangles(faces.astype(np.int32).tobytes()))
    x, y = pixel_centres(size)
    origins, directions, pixels = [], [], []
    for index, camera in enumerate(cameras):
        points = camera.project(vertices)
        left, right = pixel_window(points[:, 0].min(), points[:, 0].max(), size)
        top, bottom = pixel_window(-points[:, 1].max(), -points[:, 1].min(), size)
        rows, columns = np.meshgrid(np.arange(top, bottom), np.arange(left, right), indexing="ij")
        rows, columns = rows.ravel(), columns.ravel()
        origin, direction = camera.rays(np.stack([x[columns], y[rows]], axis=1))
        origins.append(origin)
        directions.append(direction)
        pixels.append((index * size + rows) * size + columns)
    hit = scene.run(
        np.concatenate(origins).astype(np.float32),
        np.concatenate(directions).astype(np.float32),
        query="INTERSECT",
        output=1,
    )
    seen = np.flatnonzero(hit["primID"] >= 0)
    u, v = hit["u"][seen], hit["v"][seen]
    return Hits(
        np.concatenate(pixels)[seen],
        hit["primID"][seen],
        np.stack([1.0 - u - v, u, v], axis=1),
        hit["tfar"][seen],
    )


@lru_cache(maxsize=8)
def _triangles(corners: bytes) -> np.ndarray:
    """Faces (F,), each a tuple of three int32 corners.

    embreex reads them one by one, as Python objects: tuples, which meshes of one topology share,
    cost it a third of what an array's rows do, and that is a quarter of a picture's time.
    """
    rows = np.frombuffer(corners, np.int32).reshape(-1, 3).tolist()
    triangles = np.empty(len(rows), object)
    triangles[:] = list(map(tuple, rows))
    return triangles


class RaycastRenderer:
    """Renders S x S pictures with supersample x supersample rays per pixel."""

    def __init__(self, size: int, supersample: int = 1) -> None:
        self.size = size
        self.supersample = supersample

    def render(self, mesh: Mesh, cameras: Sequence[Camera], light: Light) -> Pictures:
        """Pictures of `mesh` (view frame, AABB diagonal near 1) for every camera."""
        fine = self.size * self.supersample
        hits = cast(mesh.vertices, mesh.faces, cameras, fine)
        normals = unit(hits.interpolate(mesh.normals.astype(np.float32), mesh.faces))
        colours = mesh.paint(hits.interpolate(mesh.attributes.astype(np.float32), mesh.faces))
        values = np.empty((len(normals), 7), np.float32)
        values[:, :3] = light.shade(colours, normals)
        values[:, 3:6] = normals
        values[:, 6] = 1.0
        images = np.zeros((len(cameras) * fine * fine, 7), np.float32)
        images[hits.pixel] = values
        images = images.reshape(len(cameras), fine, fine, 7)
        return to_pictures(images, self.supersample)
