"""Best, selected and worst hypothesis over their pictures."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from poseloop.report.style import new_figure


def draw_overlays(
    rows: Sequence[dict[str, tuple[np.ndarray, np.ndarray, float | None]]], title: str
) -> Figure:
    """A row for each picture; a front and a side view for each column.

    Parameters
    ----------
    rows : one mapping for each picture
        Column to front view, side view (S, S, 3) and MPJPE in millimetres, None for the truth.
    """
    names = list(rows[0])
    with new_figure(2.2 * len(names), 1.25 * len(rows)) as figure:
        axes = figure.subplots(len(rows), 2 * len(names), squeeze=False)
        for line, row in zip(axes, rows, strict=True):
            for column, name in enumerate(names):
                front, side, error = row[name]
                pair = line[2 * column : 2 * column + 2]
                for axis, picture in zip(pair, (front, side), strict=True):
                    axis.imshow(picture)
                    axis.set_axis_off()
                label = name if error is None else f"{name}, {error:.0f} mm"
                pair[0].set_title(label, fontsize=7, loc="left")
        figure.suptitle(title, fontsize=9)
    return figure
