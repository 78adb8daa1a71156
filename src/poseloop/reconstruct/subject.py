"""One subject from six views to a coloured mesh."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from poseloop.body.model import BodyModel
from poseloop.reconstruct.body_fit import KINDS, Start, fit_body
from poseloop.reconstruct.carve import carve
from poseloop.reconstruct.config import CarveConfig
from poseloop.reconstruct.initial import large_components, union_surface
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
        Vertices of the fitted body.
    fit : (1, 3) float32
        Loss of the best trial from the library and from an estimated pose, infinite if there was
        none, and of the fit that went on from the better one.
    """

    vertices: np.ndarray
    faces: np.ndarray
    colours: np.ndarray
    body: np.ndarray
    fit: np.ndarray


@dataclass(frozen=True)
class Views:
    """Six views that can be carved.

    normal, rgb : (C, S, S, 3) uint8 arrays
        Normals of the view frame, 128 outside; colours.
    inside : (C, S, S) bool array
        Silhouettes.
    hull : (R, R, R) float32 array
        Occupancy of their visual hull, at voxel centres ``(i + 0.5) / R - 0.5`` of x, y, z.
    level : float
        Occupancy at the hull's surface.
    starts : list of Start
        Poses to start from.
    """

    normal: np.ndarray
    rgb: np.ndarray
    inside: np.ndarray
    hull: np.ndarray
    level: float
    starts: list[Start]


def prepare_views(
    normal: np.ndarray,
    rgb: np.ndarray,
    inside: np.ndarray,
    hull: np.ndarray,
    level: float,
    starts: StartPoses,
    estimate: Start | None,
    config: CarveConfig,
) -> Views | str:
    """Check one subject's views, as `Views` has them, and look its start poses up.

    Parameters
    ----------
    estimate : Start, optional
        Pose estimated in the input picture; joins those of the library.

    Returns
    -------
    Views, or the reason for which the subject cannot be carved
    """
    reason = refusal(inside, config.azimuths)
    if reason is not None:
        return reason
    found = [] if estimate is None else [estimate]
    # Without an estimate the library stands in, whatever the config prefers.
    if "library" in config.starts.kinds or not found:
        targets = make_targets(normal, inside, config.azimuths, config.view_weights)
        found = starts.nearest(targets, config.body.candidates) + found
    return Views(normal, rgb, inside, hull, level, found)


def carve_subject(
    views: Views | str, body: BodyModel, config: CarveConfig, device: torch.device
) -> Carved | str:
    """Carve one subject, or pass on why it cannot be carved."""
    if isinstance(views, str):
        return views
    azimuths = config.azimuths
    targets = make_targets(views.normal, views.inside, azimuths, config.view_weights).to(device)
    see = make_visibility(config.rasteriser, azimuths, targets.size)
    fitted = fit_body(body.to(device), views.starts, targets, see, config.body)
    posed = fitted.vertices.cpu().numpy()
    if not inside_frame(posed, azimuths):
        return "the fitted body leaves the frame"
    surface, settings = (posed, body.faces), config.carving
    if targets.certainty < config.initial.certainty:
        surface = union_surface(*surface, views.hull, views.level)
        settings = settings.model_copy(update={"steps": config.initial.steps})
    surface = large_components(*surface, config.initial.least_part)
    vertices, faces = carve(*surface, targets, see, settings, device)
    if not inside_frame(vertices, azimuths):
        return "the carved mesh leaves the frame"
    colours = vertex_colours(
        vertices, faces, views.rgb, azimuths, config.view_weights, config.texture
    )
    losses = [fitted.trials[kind] for kind in KINDS] + [fitted.loss]
    return Carved(
        vertices.astype(np.float32),
        faces.astype(np.int32),
        np.rint(colours * 255).astype(np.uint8),
        posed.astype(np.float32),
        np.array([losses], np.float32),
    )


def inside_frame(vertices: np.ndarray, azimuths: Sequence[float]) -> bool:
    """Whether every view shows the whole mesh (V, 3)."""
    places = np.stack([Camera(float(azimuth)).project(vertices) for azimuth in azimuths])
    return bool((np.abs(places) <= 0.5).all())
