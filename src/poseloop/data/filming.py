"""From a person in a sequence of poses to frames, part-coloured renders and a reference picture."""

from dataclasses import dataclass
from functools import cache

import numpy as np

from poseloop.data.config import Picture
from poseloop.data.studio import bounding_box
from poseloop.render.appearance import Appearance, offsets, paint
from poseloop.render.atlas import BodyAtlas
from poseloop.render.backend import make_renderer
from poseloop.render.cameras import Camera
from poseloop.render.mesh import Mesh, Pictures, vertex_normals
from poseloop.render.parts import render_parts

# One renderer per process: a GL context is slow to make.
_renderer = cache(make_renderer)


@dataclass(frozen=True)
class Performance:
    """One person in F poses and in a reference pose.

    vertices, joints : (F, V, 3), (F, 24, 3) arrays
        Metres, in the camera's frame; all frames share an origin.
    reference : (V, 3) array
        Vertices of the reference pose, likewise.
    appearance : Appearance
    camera : Camera
    """

    vertices: np.ndarray
    joints: np.ndarray
    reference: np.ndarray
    appearance: Appearance
    camera: Camera


@dataclass(frozen=True)
class FilmStudio:
    """What all performances share.

    faces : (F, 3) array
    atlas : BodyAtlas
        Of the V vertices.
    colours : (V, 3) array
        From `render.parts.part_colours`.
    picture : Picture
    """

    faces: np.ndarray
    atlas: BodyAtlas
    colours: np.ndarray
    picture: Picture

    def photograph(self, performance: Performance) -> dict[str, np.ndarray]:
        """Pictures and normalised geometry of a performance, under the names of `ClipSet`.

        Boxes are those of the bare body: of a person that no renderer dressed nothing else is
        known.
        """
        picture, camera = self.picture, performance.camera
        renderer = _renderer(picture.backend, picture.size, picture.supersample)
        centre, diagonal = bounding_box(performance.vertices.reshape(-1, 3))
        boxes = [bounding_box(vertices) for vertices in performance.vertices]
        frames, parts, windows = [], [], []
        for vertices, (own_centre, own_diagonal) in zip(performance.vertices, boxes, strict=True):
            frames.append(self._picture(performance, vertices, centre, diagonal))
            bare = (vertices - centre) / diagonal
            parts.append(render_parts(renderer, bare, self.faces, self.colours, [camera])[0])
            middle = (own_centre - centre) / diagonal
            # What is nearer to the camera than the origin is seen larger.
            nearness = 1.0 - middle[2] / camera.distance
            windows.append([*camera.project(middle), own_diagonal / diagonal / nearness])
        own = [
            (joints - place) / size
            for joints, (place, size) in zip(performance.joints, boxes, strict=True)
        ]
        reference = self._picture(
            performance, performance.reference, *bounding_box(performance.reference)
        )
        return {
            "reference_rgb": reference.rgb[0],
            "rgb": np.stack([frame.rgb[0] for frame in frames]),
            "mask": np.stack([frame.mask[0] for frame in frames]),
            "parts": np.stack(parts),
            "joints2d": camera.project((performance.joints - centre) / diagonal).astype(np.float32),
            "window": np.array(windows, np.float32),
            "joints": np.array(own, np.float32),
            "metres_per_unit": np.array([size for _, size in boxes], np.float32),
        }

    def _picture(
        self, performance: Performance, bare: np.ndarray, centre: np.ndarray, diagonal: float
    ) -> Pictures:
        """The clothed person, normalised by a box (centre (3,), diagonal), metres."""
        appearance, hip = performance.appearance, self.atlas.hip
        thickness = offsets(appearance, self.atlas)
        clothed = bare + vertex_normals(bare, self.faces) * thickness[:, None]
        clothed = (clothed - centre) / diagonal
        mesh = Mesh(
            clothed,
            self.faces,
            vertex_normals(clothed, self.faces),
            self.atlas.values,
            lambda values: paint(appearance, BodyAtlas(values, hip)),
        )
        picture = self.picture
        renderer = _renderer(picture.backend, picture.size, picture.supersample)
        return renderer.render(mesh, [performance.camera], appearance.light)
