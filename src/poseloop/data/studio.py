"""From a posed body and a look to pictures: dressing, normalising, rendering."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, partial

import numpy as np

from poseloop.data.backdrop import compose
from poseloop.data.config import Backdrop, Picture
from poseloop.render.appearance import Appearance, offsets, paint
from poseloop.render.atlas import BodyAtlas
from poseloop.render.backend import make_renderer
from poseloop.render.cameras import Camera, orthographic_cameras
from poseloop.render.mesh import Mesh, vertex_normals

# One renderer per process: a GL context is slow to make.
_renderer = cache(make_renderer)


@dataclass(frozen=True)
class Sitter:
    """A posed body that waits to be dressed and rendered.

    vertices, joints : (V, 3), (24, 3) arrays
        Metres, turned into the input camera's frame; the origin does not matter.
    appearance : Appearance
    camera : Camera
        Of the input picture.
    picture_seed : int
        Of the background and the occluder.
    """

    vertices: np.ndarray
    joints: np.ndarray
    appearance: Appearance
    camera: Camera
    picture_seed: int


@dataclass(frozen=True)
class Studio:
    """What all sitters share.

    faces : (F, 3) array
    atlas : BodyAtlas
        Of the V vertices.
    azimuths : K azimuths in degrees
        Views to render besides the input picture; may be empty.
    """

    faces: np.ndarray
    atlas: BodyAtlas
    picture: Picture
    azimuths: Sequence[float]
    backdrop: Backdrop

    def photograph(self, sitter: Sitter) -> dict[str, np.ndarray]:
        """Pictures and normalised geometry of a sitter, under the names of `ViewSet`.

        An orthographic input picture before nothing is view 0.
        """
        bare = sitter.vertices
        distance = offsets(sitter.appearance, self.atlas)
        clothed = bare + vertex_normals(bare, self.faces) * distance[:, None]
        centre, diagonal = bounding_box(clothed)
        clothed = (clothed - centre) / diagonal
        mesh = Mesh(
            clothed,
            self.faces,
            vertex_normals(clothed, self.faces),
            self.atlas.values,
            partial(_paint, sitter.appearance, self.atlas.hip),
        )
        cameras = orthographic_cameras(self.azimuths)
        shots = (*cameras, sitter.camera)
        shared = sitter.camera in cameras
        if shared:
            shots = cameras
        picture = self.picture
        renderer = _renderer(picture.backend, picture.size, picture.supersample)
        pictures = renderer.render(mesh, shots, sitter.appearance.light)
        front = cameras.index(sitter.camera) if shared else len(cameras)
        rng = np.random.default_rng(sitter.picture_seed)
        input_rgb, input_mask = compose(
            pictures.rgb[front], pictures.mask[front], self.backdrop, rng
        )
        views = slice(0, len(cameras))
        return {
            "rgb": pictures.rgb[views],
            "normal": pictures.normal[views],
            "mask": pictures.mask[views],
            "input_rgb": input_rgb,
            "input_mask": input_mask,
            "joints": ((sitter.joints - centre) / diagonal).astype(np.float32),
            "vertices": clothed.astype(np.float32),
            "metres_per_unit": np.float32(diagonal),
        }


def bounding_box(vertices: np.ndarray) -> tuple[np.ndarray, float]:
    """Centre (3,) and diagonal of the axis-aligned bounding box of vertices (V, 3)."""
    low, high = vertices.min(axis=0), vertices.max(axis=0)
    return (low + high) / 2, float(np.linalg.norm(high - low))


def _paint(appearance: Appearance, hip: float, values: np.ndarray) -> np.ndarray:
    return paint(appearance, BodyAtlas(values, hip))
