"""Common look of all figures and their reproducible files."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from poseloop.runtime.errors import UserError
from poseloop.runtime.files import atomic_path

# Okabe and Ito's colours, told apart with any colour vision.
COLOURS = ["#555555", "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"]
MARKERS = ["o", "s", "^", "D", "v", "P", "X"]

_STYLE = {
    "figure.dpi": 150,
    "savefig.dpi": 150,
    "figure.constrained_layout.use": True,
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.25,
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "pdf.fonttype": 42,
    "svg.hashsalt": "poseloop",
}
_METADATA = {
    ".png": {"Software": None},
    ".pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}


def rgb(colour: str) -> np.ndarray:
    """A colour `#rrggbb` as (3,) numbers in [0, 1]."""
    return np.array(mpl.colors.to_rgb(colour))


@contextmanager
def new_figure(width: float, height: float) -> Iterator[Figure]:
    """A figure of `width` by `height` inches in the common style, off screen."""
    with mpl.rc_context(_STYLE):
        figure = Figure((width, height))
        FigureCanvasAgg(figure)
        yield figure


def bare(axis: Axes) -> None:
    """Take ticks, grid and frame from an axis that shows a picture; its labels stay."""
    axis.set(xticks=[], yticks=[])
    axis.grid(False)
    for spine in axis.spines.values():
        spine.set_visible(False)


def save(figure: Figure, paths: Iterable[str | Path]) -> None:
    """Write the figure once per path, PNG or PDF by suffix; the same drawing gives the same bytes.

    Raises
    ------
    UserError
        A path has another suffix.
    """
    for path in map(Path, paths):
        if path.suffix not in _METADATA:
            raise UserError(f"{path}: figures are .png or .pdf")
        with mpl.rc_context(_STYLE), atomic_path(path) as temporary:
            figure.savefig(temporary, metadata=_METADATA[path.suffix])
