"""The body: what its betas do, how it bends, and its regions."""

import numpy as np
import torch
from matplotlib.figure import Figure

from poseloop.body.joints import JOINT
from poseloop.body.model import BodyModel
from poseloop.report.portraits import portraits, region_colours, side_colours
from poseloop.report.style import new_figure

_SIZE = 200
_HEIGHT = 2.05
_COLUMNS = 8
_SHOWN_BETAS = 4
_DEVIATIONS = 2.0

# Rotation vectors in degrees of the joints that bend; the azimuth that shows it best.
_POSES: dict[str, tuple[float, dict[str, tuple[float, float, float]]]] = {
    "T-pose": (0, {}),
    "arms down": (0, {"left_shoulder": (0, 0, -75), "right_shoulder": (0, 0, 75)}),
    "left arm up": (0, {"left_shoulder": (0, 0, 80), "right_shoulder": (0, 0, 75)}),
    "elbows bent forward": (40, {"left_elbow": (0, -90, 0), "right_elbow": (0, 90, 0)}),
    "right knee up": (40, {"right_hip": (-80, 0, 0), "right_knee": (90, 0, 0)}),
    "bow": (90, {"spine1": (25, 0, 0), "spine2": (25, 0, 0), "spine3": (25, 0, 0)}),
    "turn left": (0, {"spine2": (0, 30, 0), "spine3": (0, 30, 0), "head": (0, 30, 0)}),
    "squat": (
        60,
        {f"{side}_{joint}": (angle, 0, 0) for side in ("left", "right")
         for joint, angle in (("hip", -100), ("knee", 120), ("ankle", -25))},
    ),
}  # fmt: skip


def draw_bodies(body: BodyModel) -> Figure:
    """Three rows: shapes, poses, and the regions from around."""
    betas = np.zeros((_COLUMNS, body.num_betas), np.float32)
    for column in range(_COLUMNS):
        sign = _DEVIATIONS if column % 2 == 0 else -_DEVIATIONS
        betas[column, column // 2 % _SHOWN_BETAS] = sign
    shapes = [f"beta {column // 2 + 1}: {betas[column].sum():+.0f}" for column in range(_COLUMNS)]
    pose = np.zeros((_COLUMNS, 23, 3), np.float32)
    for row, (_, bends) in zip(pose, _POSES.values(), strict=True):
        for name, degrees in bends.items():
            row[JOINT[name] - 1] = np.radians(degrees)
    around = np.arange(_COLUMNS) * 360 / _COLUMNS
    sides, regions = side_colours(body), region_colours(body)
    rows = [
        (shapes, _vertices(body, betas=betas), np.zeros(_COLUMNS), sides),
        (list(_POSES), _vertices(body, pose=pose), [view for view, _ in _POSES.values()], sides),
        ([f"{view:.0f}°" for view in around], _vertices(body, betas=0 * betas), around, regions),
    ]
    with new_figure(1.2 * _COLUMNS, 4.4) as figure:
        for line, (titles, vertices, azimuths, colours) in zip(
            figure.subplots(3, _COLUMNS), rows, strict=True
        ):
            pictures = portraits(vertices, body.faces, colours, azimuths, _HEIGHT, _SIZE)
            for axis, title, picture in zip(line, titles, pictures, strict=True):
                axis.imshow(picture)
                axis.set_title(title, fontsize=7)
                axis.set_axis_off()
        figure.suptitle(
            "Shapes, poses and clothing regions: left limbs blue, right limbs orange", fontsize=9
        )
    return figure


def _vertices(
    body: BodyModel, betas: np.ndarray | None = None, pose: np.ndarray | None = None
) -> np.ndarray:
    """Posed vertices (N, V, 3) that stand on the ground."""
    with torch.inference_mode():
        posed = body(
            betas=None if betas is None else torch.from_numpy(betas),
            body_pose=None if pose is None else torch.from_numpy(pose.reshape(-1, 69)),
        )
    vertices = posed.vertices.numpy()
    return vertices - vertices[..., 1:2].min(1, keepdims=True) * [0.0, 1.0, 0.0]
