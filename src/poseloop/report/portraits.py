"""Plain pictures of posed bodies whose colours tell left, right and front."""

from collections.abc import Sequence

import numpy as np

from poseloop.body.joints import JOINT_NAMES
from poseloop.body.model import BodyModel
from poseloop.body.regions import REGIONS
from poseloop.render.cameras import Camera
from poseloop.render.mesh import Light, Mesh, vertex_normals
from poseloop.render.raycast import RaycastRenderer
from poseloop.report.style import COLOURS, rgb

_LIGHT = Light(np.array([0.4, 0.8, 0.9]), np.full(3, 0.75), np.full(3, 0.35))
_LIMBS = {"left": rgb(COLOURS[1]), "right": rgb(COLOURS[2])}
_TRUNK = np.array([0.72, 0.72, 0.72])
_FACE = np.array([0.95, 0.85, 0.35])
_HAIR = np.array([0.25, 0.25, 0.25])


def side_colours(body: BodyModel) -> np.ndarray:
    """Colours (V, 3): left limbs blue, right limbs orange, face yellow, hair dark, trunk grey."""
    sides = [name.split("_")[0] for name in JOINT_NAMES]
    colours = np.array([_LIMBS.get(side, _TRUNK) for side in sides])[body.parts]
    colours[body.regions == REGIONS.index("face")] = _FACE
    colours[body.regions == REGIONS.index("hair")] = _HAIR
    return colours


def region_colours(body: BodyModel) -> np.ndarray:
    """Colours (V, 3), one for each region of clothing."""
    hues = np.array([rgb(colour) for colour in COLOURS])
    palette = np.concatenate([hues, 0.5 + 0.5 * hues])[: len(REGIONS)]
    return palette[body.regions]


def portraits(
    vertices: np.ndarray,
    faces: np.ndarray,
    colours: np.ndarray,
    azimuths: Sequence[float],
    height: float,
    size: int,
) -> np.ndarray:
    """Orthographic pictures on white, one for each body.

    Parameters
    ----------
    vertices : (N, V, 3)
        Metres, y up; the point (0, height / 2, 0) comes to the middle of the picture.
    faces : (F, 3)
    colours : (V, 3) in [0, 1]
    azimuths : N numbers
        Degrees; 0 sees a body that faces +z from the front, 90 its left side.
    height : float
        Metres that the picture covers, both ways.
    size : int
        Pixels.

    Returns
    -------
    (N, size, size, 3) uint8
    """
    renderer = RaycastRenderer(size, supersample=2)
    centred = (vertices - [0.0, height / 2, 0.0]) / height
    pictures = []
    for points, azimuth in zip(centred, azimuths, strict=True):
        camera = Camera(float(azimuth))
        normals = vertex_normals(points, faces)
        light = Light(_LIGHT.direction @ camera.rotation, _LIGHT.colour, _LIGHT.ambient)
        mesh = Mesh(points, faces, normals, colours, lambda attributes: attributes)
        pictures.append(renderer.render(mesh, [camera], light).rgb[0])
    return np.stack(pictures)
