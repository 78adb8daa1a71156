"""Drawn sequences beside what asked for them and the truth."""

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from poseloop.report.style import COLOURS, bare, new_figure

_REJECTED = COLOURS[2]


@dataclass(frozen=True)
class Strip:
    """One sequence.

    title : str
    reference : (S, S, 3) uint8
    parts, drawn, truth : (F, S, S, 3) uint8
    rejected : (F,) bool
        Drawn frames that the keypoint check rejects.
    """

    title: str
    reference: np.ndarray
    parts: np.ndarray
    drawn: np.ndarray
    truth: np.ndarray
    rejected: np.ndarray


def draw_strips(strips: list[Strip], frames: int) -> Figure:
    """Three rows per sequence: body renders, drawn frames, true frames; the reference at the left.

    Parameters
    ----------
    frames : int
        Columns; evenly spaced frames of each sequence.
    """
    with new_figure(0.95 * (1 + frames) + 0.6, 2.75 * len(strips) + 0.5) as figure:
        axes = figure.subplots(3 * len(strips), 1 + frames, squeeze=False)
        for axis in axes.ravel():
            bare(axis)
        for number, strip in enumerate(strips):
            chosen = np.linspace(0, len(strip.parts) - 1, frames).round().astype(int)
            block = axes[3 * number : 3 * number + 3]
            block[0, 0].set_title(strip.title, fontsize=7, loc="left")
            block[1, 0].imshow(strip.reference, interpolation="nearest")
            block[1, 0].set_xlabel("reference", fontsize=7)
            rows = (("asked", strip.parts), ("drawn", strip.drawn), ("true", strip.truth))
            for line, (label, pictures) in zip(block, rows, strict=True):
                line[1].set_ylabel(label)
                for axis, frame in zip(line[1:], chosen, strict=True):
                    axis.imshow(pictures[frame], interpolation="nearest")
            for axis, frame in zip(block[1, 1:], chosen, strict=True):
                if strip.rejected[frame]:
                    _outline(axis)
        figure.suptitle(
            "Outlined: frames of the pose set that the keypoint check rejects", fontsize=9
        )
    return figure


def _outline(axis: Axes) -> None:
    for spine in axis.spines.values():
        spine.set(visible=True, color=_REJECTED, linewidth=1.5)
