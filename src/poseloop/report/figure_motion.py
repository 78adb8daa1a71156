"""A contact sheet of every clip."""

import numpy as np
import torch
from matplotlib.figure import Figure

from poseloop.body.model import BodyModel
from poseloop.report.portraits import portraits, side_colours
from poseloop.report.style import new_figure

_FRAMES = 10
_SIZE = 144
_HEIGHT = 2.3
_AZIMUTH = 40.0


def draw_motion(body: BodyModel, clips: dict[str, np.ndarray]) -> Figure:
    """One row per clip, frames from first to last, left to right.

    The camera keeps its direction and height, so that turning, falling and jumping show; it
    follows the pelvis sideways. The line is the ground.

    Parameters
    ----------
    body : BodyModel
    clips : dict
        As `motion.clips.prepare` makes it; mirrored frames are not shown.
    """
    names = sorted(set(clips["clip"].tolist()))
    colours = side_colours(body)
    with new_figure(0.95 * _FRAMES + 0.6, 1.0 * len(names) + 0.3) as figure:
        lines = figure.subplots(len(names), _FRAMES, squeeze=False)
        for name, line in zip(names, lines, strict=True):
            rows = np.flatnonzero((clips["clip"] == name) & ~clips["mirrored"])
            rows = rows[np.linspace(0, len(rows) - 1, _FRAMES).round().astype(int)]
            vertices = _vertices(body, clips, rows)
            pictures = portraits(
                vertices, body.faces, colours, [_AZIMUTH] * _FRAMES, _HEIGHT, _SIZE
            )
            for axis, picture in zip(line, pictures, strict=True):
                axis.imshow(picture)
                axis.axhline(_SIZE - 0.5, color="0.6", linewidth=0.8)
                axis.set(xticks=[], yticks=[], frame_on=False)
            line[0].set_ylabel(f"{name}\n({clips['split'][rows[0]]})", fontsize=7)
        figure.suptitle("Captured clips: left limbs blue, right limbs orange", fontsize=9)
    return figure


def _vertices(body: BodyModel, clips: dict[str, np.ndarray], rows: np.ndarray) -> np.ndarray:
    """Vertices (N, V, 3) of some frames; the clip's lowest point is the ground."""
    pose = (torch.from_numpy(clips[name][rows]) for name in ("global_orient", "body_pose"))
    with torch.inference_mode():
        posed = body(*pose)
    vertices, pelvis = posed.vertices.numpy(), posed.joints[:, :1].numpy()
    height = clips["transl"][rows, 1] - (vertices[..., 1].min(1) + clips["transl"][rows, 1]).min()
    offset = -pelvis
    offset[..., 1] = height[:, None]
    return vertices + offset
