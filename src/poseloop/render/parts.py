"""Body renders in which every part has a colour of its own: what tells a video model the pose."""

import colorsys
from collections.abc import Sequence

import numpy as np

from poseloop.body.joints import JOINT_NAMES
from poseloop.render.backend import Renderer
from poseloop.render.cameras import Camera
from poseloop.render.mesh import Light, Mesh, vertex_normals

# Hues a golden section apart: neighbours in the list, left and right among them, differ most.
_HUES = 0.618034 * np.arange(len(JOINT_NAMES)) % 1.0
_SATURATIONS, _VALUES = (1.0, 0.55), (1.0, 1.0, 0.6)
PALETTE = np.array(
    [
        colorsys.hsv_to_rgb(hue, _SATURATIONS[part % 2], _VALUES[part % 3])
        for part, hue in enumerate(_HUES)
    ],
    np.float32,
)
"""Colour (24, 3) in [0, 1] of the part that each joint of SMPL moves; none is black."""

_FLAT = Light(np.array([0.0, 0.0, 1.0]), np.zeros(3), np.ones(3))


def part_colours(weights: np.ndarray) -> np.ndarray:
    """Fixed colours (V, 3) in [0, 1] of vertices with skinning weights (V, 24).

    At a joint the colours of the two parts run into each other, as the weights do (fact sheet
    DrPose 2: fixed colours per vertex).
    """
    return (weights @ PALETTE).astype(np.float32)


def render_parts(
    renderer: Renderer,
    vertices: np.ndarray,
    faces: np.ndarray,
    colours: np.ndarray,
    cameras: Sequence[Camera],
) -> np.ndarray:
    """Unshaded pictures of a bare body on black.

    Parameters
    ----------
    renderer : Renderer
        Of S x S pictures.
    vertices, faces : (V, 3), (F, 3) arrays
        View frame, normalised.
    colours : (V, 3) array
        From `part_colours`.
    cameras : C cameras

    Returns
    -------
    (C, S, S, 3) uint8
    """
    mesh = Mesh(vertices, faces, vertex_normals(vertices, faces), colours, lambda values: values)
    pictures = renderer.render(mesh, cameras, _FLAT)
    # The back ends composite on white, which is what the coverage lacks.
    white = 255 - pictures.mask[..., None].astype(np.int16)
    return np.clip(pictures.rgb - white, 0, 255).astype(np.uint8)
