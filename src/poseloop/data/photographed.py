"""Captured people as a scan set: pictures of the scan, pose and joints of its fit.

The fit is in SMPL-X's parameters, so the body must be the licensed SMPL-X (`source: licensed` in
body.yaml). Its hands are flat and its mouth closed, whatever the fit says (`body.collapse`).
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from poseloop.body.model import BodyModel
from poseloop.data.capture_config import CapturesConfig, CaptureSetConfig
from poseloop.data.captured import Capture, SmplxFit, find_captures, read_capture
from poseloop.data.config import Picture
from poseloop.data.posing import face_camera
from poseloop.data.store import ViewSet
from poseloop.data.studio import bounding_box
from poseloop.motion.augment import remove_heading
from poseloop.render.backend import make_renderer
from poseloop.render.cameras import orthographic_cameras
from poseloop.render.mesh import Light
from poseloop.render.textured import textured_mesh
from poseloop.runtime.errors import UserError
from poseloop.runtime.seeds import numpy_rng

# A scan's texture holds the light of its capture; none is added.
_UNLIT = Light(np.array([0.0, 0.0, 1.0]), np.zeros(3), np.ones(3))


def photograph_captures(
    config: CapturesConfig,
    name: str,
    body: BodyModel,
    picture: Picture,
    azimuths: tuple[float, ...],
) -> tuple[ViewSet, dict]:
    """Render the capture set `name`.

    Scans have no common topology: `vertices` and `faces` of the result are those of the fits,
    which no training reads. View 0 is the input picture.

    Parameters
    ----------
    picture, azimuths
        As those of the other scan sets, beside which this one trains.

    Returns
    -------
    ViewSet, and its manifest.

    Raises
    ------
    UserError
        No such set, a faulty scan or fit, a name that the folder does not have, or a scan that is
        not where its fit is.
    """
    if name not in config.captures:
        raise UserError(f"captures: no set {name!r}; there are {', '.join(config.captures)}")
    entry = config.captures[name]
    paths = _chosen(entry)
    yaw = numpy_rng(config.seed, "captures", name).uniform(-entry.yaw, entry.yaw, len(paths))
    renderer = make_renderer(picture.backend, picture.size, picture.supersample)
    rows = []
    for path, turn in zip(paths.values(), yaw, strict=True):
        capture = read_capture(path, entry.kind)
        scan, fitted, parameters = _face(capture, body, turn, entry.tolerance)
        centre, diagonal = bounding_box(scan)
        vertices = ((scan - centre) / diagonal).astype(np.float32)
        mesh = textured_mesh(vertices, capture.faces, capture.uv, capture.pixels())
        shots = renderer.render(mesh, orthographic_cameras(azimuths), _UNLIT)
        rows.append(
            {
                "rgb": shots.rgb,
                "normal": shots.normal,
                "mask": shots.mask,
                "input_rgb": shots.rgb[0],
                "input_mask": shots.mask[0],
                "joints": ((fitted.joints - centre) / diagonal).astype(np.float32),
                "vertices": ((fitted.vertices - centre) / diagonal).astype(np.float16),
                "metres_per_unit": np.float32(diagonal),
                **parameters,
            }
        )
    views = ViewSet(
        **{field: np.stack([row[field] for row in rows]) for field in rows[0]},
        faces=body.faces.astype(np.int32),
        clip=np.array(list(paths)),
        frame=np.zeros(len(paths), np.int32),
        body_id=np.arange(len(paths), dtype=np.int32),
        azimuths=np.asarray(azimuths, np.float32),
    )
    return views, {"set": name, "seed": config.seed, "kind": entry.kind, "subjects": list(paths)}


def _chosen(entry: CaptureSetConfig) -> dict[str, Path]:
    found = find_captures(entry.path, entry.kind)
    missing = sorted(set(entry.names or ()) - set(found))
    if missing:
        raise UserError(f"{entry.path}: no scan {', '.join(missing)}; there are {', '.join(found)}")
    return {name: path for name, path in found.items() if name in (entry.names or found)}


@dataclass(frozen=True)
class _Posed:
    """Vertices (V, 3) and joints (24, 3) of a fit, metres."""

    vertices: np.ndarray
    joints: np.ndarray


def _face(
    capture: Capture, body: BodyModel, yaw: float, tolerance: float
) -> tuple[np.ndarray, _Posed, dict[str, np.ndarray]]:
    """Scan (V, 3), fit and SMPL's parameters, turned until they face `yaw` degrees."""
    fit = capture.fit
    parameters = _parameters(fit, body.num_betas)
    posed = _pose(body, parameters)
    if fit.pelvis_at_origin:
        posed = _Posed(posed.vertices - posed.joints[0], posed.joints - posed.joints[0])
    distance = float(np.median(cKDTree(posed.vertices).query(capture.vertices)[0]))
    if distance > tolerance:
        raise UserError(
            f"{capture.name}: the scan lies {100 * distance:.1f} cm from its fit, more than "
            f"tolerance {tolerance:g} m; is `source: licensed` with SMPL-X set in body.yaml?"
        )
    upright, _ = remove_heading(parameters["global_orient"][None])
    facing = face_camera(upright, yaw, 0.0)[0]
    turn = Rotation.from_rotvec(facing) * Rotation.from_rotvec(fit.global_orient).inv()
    turned = _Posed(turn.apply(posed.vertices), turn.apply(posed.joints))
    return turn.apply(capture.vertices), turned, parameters | {"global_orient": facing}


def _parameters(fit: SmplxFit, num_betas: int) -> dict[str, np.ndarray]:
    """SMPL's parameters: SMPL-X's 21 joints of the body, hands straight."""
    betas = np.zeros(num_betas, np.float32)
    given = fit.betas[:num_betas]
    betas[: len(given)] = given
    body_pose = np.concatenate([fit.body_pose, np.zeros(6, np.float32)])
    return {"global_orient": fit.global_orient, "body_pose": body_pose, "betas": betas}


def _pose(body: BodyModel, parameters: dict[str, np.ndarray]) -> _Posed:
    with torch.inference_mode():
        posed = body(*(torch.from_numpy(value)[None] for value in parameters.values()))
    return _Posed(posed.vertices[0].numpy(), posed.joints[0].numpy())
