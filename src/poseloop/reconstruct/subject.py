"""One subject from six views to a coloured mesh."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from poseloop.body.model import BodyModel
from poseloop.reconstruct.body_fit import fit_body
from poseloop.reconstruct.carve import carve, largest_component
from poseloop.reconstruct.config import CarveConfig
from poseloop.reconstruct.starts import StartPoses
from poseloop.reconstruct.targets import make_targets, refusal
from poseloop.reconstruct.texture import vertex_colours
from poseloop.reconstruct.visibility import make_visibility
from poseloop.render.cameras import Camera


@dataclass(frozen=True)
class Carved:
    """A carved subject, in the view frame and normalised units.

    vertices : (V, 3) float32
    faces : (F, 3) int32
    colours : (V, 3) uint8
    body : (W, 3) float32
        Vertices of the fitted body that it was carved from.
    """

    vertices: np.ndarray
    faces: np.ndarray
    colours: np.ndarray
    body: np.ndarray


@dataclass(frozen=True)
class Views:
    """Six views that can be carved.

    normal, rgb : (C, S, S, 3) uint8 arrays
        Normals of the view frame, 128 outside; colours.
    starts : (global_orient (3,), body_pose (69,)) each
        Poses to start from.
    """

    normal: np.ndarray
    rgb: np.ndarray
    starts: list[tuple[torch.Tensor, torch.Tensor]]


def prepare_views(
    normal: Sequence[np.ndarray],
    rgb: Sequence[np.ndarray],
    starts: StartPoses,
    config: CarveConfig,
) -> Views | str:
    """Check one subject's pictures (S, S, 3) uint8 and look its start poses up.

    Returns
    -------
    Views, or the reason for which the subject cannot be carved
    """
    reason = refusal(normal, rgb, config.azimuths, config.mask_level)
    if reason is not None:
        return reason
    views, colours = np.stack(normal), np.stack(rgb)
    targets = make_targets(views, config.azimuths, config.view_weights, config.mask_level)
    return Views(views, colours, starts.nearest(targets, config.body.candidates))


def carve_subject(
    views: Views | str, body: BodyModel, config: CarveConfig, device: torch.device
) -> Carved | str:
    """Carve one subject, or pass on why it cannot be carved."""
    if isinstance(views, str):
        return views
    azimuths = config.azimuths
    targets = make_targets(views.normal, azimuths, config.view_weights, config.mask_level)
    targets = targets.to(device)
    see = make_visibility(config.rasteriser, azimuths, targets.size)
    fitted = fit_body(body.to(device), views.starts, targets, see, config.body)
    posed = fitted.vertices.cpu().numpy()
    if not inside_frame(posed, azimuths):
        return "the fitted body leaves the frame"
    vertices, faces = largest_component(posed, body.faces)
    vertices, faces = carve(vertices, faces, targets, see, config.carving, device)
    if not inside_frame(vertices, azimuths):
        return "the carved mesh leaves the frame"
    colours = vertex_colours(
        vertices, faces, views.rgb, azimuths, config.view_weights, config.texture
    )
    return Carved(
        vertices.astype(np.float32),
        faces.astype(np.int32),
        np.rint(colours * 255).astype(np.uint8),
        posed.astype(np.float32),
    )


def inside_frame(vertices: np.ndarray, azimuths: Sequence[float]) -> bool:
    """Whether every view shows the whole mesh (V, 3)."""
    places = np.stack([Camera(float(azimuth)).project(vertices) for azimuth in azimuths])
    return bool((np.abs(places) <= 0.5).all())
