"""Bodies over the pictures that they were found in, and from the side."""

import numpy as np
import roma
from PIL import Image
from torch import Tensor

from poseloop.body.model import BodyModel
from poseloop.hmr.geometry import project
from poseloop.hmr.skeleton_body import Bodies
from poseloop.render.cameras import Camera
from poseloop.render.mesh import Light, Mesh, Pictures, vertex_normals
from poseloop.render.raycast import RaycastRenderer
from poseloop.report.portraits import side_colours

_LIGHT = Light(np.array([0.4, 0.8, 0.9]), np.full(3, 0.75), np.full(3, 0.35))
_SEEN = 0.75


def posed_vertices(body: BodyModel, bodies: Bodies) -> Tensor:
    """Vertices (N, V, 3) from the pelvis, metres, view frame, of N bodies."""
    pose = roma.rotmat_to_rotvec(bodies.rotations).flatten(1)
    posed = body(pose[:, :3], pose[:, 3:], bodies.betas)
    return posed.vertices - posed.joints[:, :1]


def overlay(
    picture: np.ndarray,
    vertices: Tensor,
    camera: Tensor,
    intrinsics: Tensor,
    body: BodyModel,
    size: int,
) -> np.ndarray:
    """A body (V, 3) over the crop (S, S, 3) that it was found in: (size, size, 3) uint8.

    Each vertex is projected by its own perspective camera and drawn by an orthographic one.
    """
    places = project(vertices, camera, intrinsics).numpy() / 2 * [1, -1]
    flat = np.concatenate([places, 0.2 * vertices[:, 2:].numpy()], 1)
    shot = _draw(flat, vertices.numpy(), body, size)
    below = np.asarray(Image.fromarray(picture).resize((size, size), Image.Resampling.BICUBIC))
    alpha = _SEEN * shot.mask[0][..., None] / 255.0
    # The renderer composites on white.
    above = shot.rgb[0] - (255.0 - shot.mask[0][..., None])
    return np.clip(above * _SEEN + below * (1 - alpha), 0, 255).astype(np.uint8)


def side_view(vertices: Tensor, body: BodyModel, size: int) -> np.ndarray:
    """The body (V, 3) from its picture's right side, on white: (size, size, 3) uint8."""
    turned = vertices.numpy() @ np.array([[0.0, 0, 1], [0, 1, 0], [-1, 0, 0]])
    middle = (turned.min(0) + turned.max(0)) / 2
    scale = 0.9 / np.ptp(turned[:, :2], axis=0).max()
    return _draw((turned - middle) * scale, turned, body, size).rgb[0]


def _draw(places: np.ndarray, vertices: np.ndarray, body: BodyModel, size: int) -> Pictures:
    normals = vertex_normals(vertices, body.faces)
    mesh = Mesh(places, body.faces, normals, side_colours(body), lambda attributes: attributes)
    return RaycastRenderer(size, supersample=2).render(mesh, [Camera()], _LIGHT)
