"""Continuous remeshing of a fitted body under the views' normals and silhouettes.

Fact sheet DrPose 4.5, step 3, after Palfinger (2022): every vertex steps by a share of its own
edge length, lengths grow where vertices move fast and shrink where they rest, and each step is
followed by a remeshing, so that no part of the surface can fold or starve of vertices.
"""

import numpy as np
import torch

from poseloop.reconstruct.config import Carving
from poseloop.reconstruct.losses import view_losses
from poseloop.reconstruct.remesh import Surface, neighbour_mean, remesh
from poseloop.reconstruct.targets import Targets
from poseloop.reconstruct.topology import Edges, mesh_edges
from poseloop.reconstruct.visibility import Visibility

# Columns of a surface's values: first moment, second moment, smoothed speed, reference length.
_FIRST, _SECOND, _SPEED, _LENGTH = slice(0, 3), 3, 4, 5


def carve(
    vertices: np.ndarray,
    faces: np.ndarray,
    targets: Targets,
    see: Visibility,
    config: Carving,
    device: torch.device,
) -> tuple[np.ndarray, np.ndarray]:
    """Move and remesh a closed surface until its pictures are those of the targets.

    Parameters
    ----------
    vertices : (V, 3) array
        View frame, normalised units.
    faces : (F, 3) array
        Counter-clockwise from outside.

    Returns
    -------
    vertices, faces
        Of the carved mesh.
    """
    edges = mesh_edges(faces)
    length = np.linalg.norm(np.diff(vertices[edges.vertices], axis=1)[:, 0], axis=1).mean()
    values = np.zeros((len(vertices), 6))
    values[:, _LENGTH] = np.clip(length, *config.edge_length)
    surface = Surface(vertices.astype(np.float64), faces.astype(np.int64), values)
    doubt = config.doubt_weight * (1 - targets.certainty)
    for step in range(config.steps):
        surface = remesh(surface, surface.values[:, _LENGTH], config.edge_tolerance)
        edges = mesh_edges(surface.faces)
        gradient = _gradient(surface, edges, targets, see, config, device)
        # Steps shrink to nothing towards the end, so that the mesh comes to rest.
        rate = config.learning_rate * (1 - step / config.steps)
        surface = _step(surface, edges, gradient, rate, step, doubt, config)
    return surface.vertices, surface.faces


def _gradient(
    surface: Surface,
    edges: Edges,
    targets: Targets,
    see: Visibility,
    config: Carving,
    device: torch.device,
) -> np.ndarray:
    """Gradient (V, 3) of the views' losses."""
    vertices = torch.from_numpy(surface.vertices).float().to(device).requires_grad_()
    faces = torch.from_numpy(surface.faces).to(device)
    normal, mask = view_losses(vertices, faces, edges, targets, see, config.reach)
    trust = config.normal_weight * targets.certainty**config.trust
    (trust * normal + config.mask_weight * mask).backward()
    return vertices.grad.cpu().double().numpy()


def _step(
    surface: Surface,
    edges: Edges,
    gradient: np.ndarray,
    rate: float,
    step: int,
    doubt: float,
    config: Carving,
) -> Surface:
    """One optimiser step: isotropic Adam in units of edge lengths, smoothed over neighbours."""
    values = surface.values.copy()
    slow, square = config.betas
    size = np.linalg.norm(gradient, axis=1)
    known = np.linalg.norm(values[:, _FIRST], axis=1)
    largest = np.where(known > 0, config.gradient_clamp * known, np.inf)
    gradient = gradient * np.minimum(1, largest / np.maximum(size, 1e-30))[:, None]
    size = np.minimum(size, largest)

    values[:, _FIRST] = slow * values[:, _FIRST] + (1 - slow) * gradient
    values[:, _SECOND] = square * values[:, _SECOND] + (1 - square) * size**2
    first = values[:, _FIRST] / (1 - slow ** (step + 1))
    second = values[:, _SECOND] / (1 - square ** (step + 1))
    velocity = first / np.sqrt(np.maximum(second, 1e-30))[:, None]
    around = neighbour_mean(edges, len(velocity))
    for _ in range(config.smoothing):
        velocity = (velocity + around @ velocity) / 2

    values[:, _SPEED] = slow * values[:, _SPEED] + (1 - slow) * np.linalg.norm(velocity, axis=1)
    if step % config.length_every == 0:
        change = 1 + config.gain * (values[:, _SPEED] - config.reference_speed)
        values[:, _LENGTH] = np.clip(values[:, _LENGTH] * change, *config.edge_length)
    vertices = surface.vertices - rate * values[:, _LENGTH, None] * velocity
    vertices += config.laplacian_weight * (around @ vertices - vertices)
    # The Laplacian of the Laplacian evens out bends and leaves a limb its thickness.
    bend = around @ vertices - vertices
    vertices -= doubt * (around @ bend - bend)
    return Surface(vertices, surface.faces, values)
