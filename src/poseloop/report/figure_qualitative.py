"""Generated views of the hardest subjects beside the truth."""

import numpy as np
from matplotlib.figure import Figure

from poseloop.report.style import bare, new_figure
from poseloop.runtime.errors import UserError


def hardest(error: np.ndarray, count: int) -> np.ndarray:
    """Indices of the `count` subjects with the greatest mean error over seeds, hardest first.

    Parameters
    ----------
    error : (seeds, subjects) array
    """
    return np.argsort(-error.mean(0), kind="stable")[:count]


def view_indices(azimuths: np.ndarray, wanted: list[float]) -> list[int]:
    """Indices of the wanted azimuths (degrees).

    Raises
    ------
    UserError
        The benchmark has no such view.
    """
    stored = [round(float(azimuth) % 360, 3) for azimuth in azimuths]
    missing = [azimuth for azimuth in wanted if round(azimuth % 360, 3) not in stored]
    if missing:
        raise UserError(f"qualitative.azimuths: the benchmark has no view at {missing}")
    return [stored.index(round(azimuth % 360, 3)) for azimuth in wanted]


def draw_qualitative(
    benchmark: dict[str, np.ndarray],
    sources: dict[str, dict[str, np.ndarray]],
    subjects: np.ndarray,
    wanted: list[float],
    title: str,
) -> Figure:
    """Two lines per subject, colours and normals; the input, then a group of views per source.

    Parameters
    ----------
    benchmark : dict
        `input_rgb` (N, S, S, 3) uint8 and `azimuths` (K,).
    sources : dict
        Name to `rgb` and `normal` (N, K, S, S, 3) uint8, in the order of columns.
    subjects : array of int
        Rows.
    wanted : list of float
        Azimuths to show, degrees.
    title : str
    """
    views = view_indices(benchmark["azimuths"], wanted)
    width = 1 + len(sources) * len(views)
    with new_figure(0.95 * width + 0.3, 1.9 * len(subjects) + 0.7) as figure:
        axes = figure.subplots(2 * len(subjects), width, squeeze=False)
        for axis in axes.ravel():
            bare(axis)
        axes[0, 0].set_title("input")
        for place, subject in enumerate(subjects):
            axes[2 * place, 0].imshow(benchmark["input_rgb"][subject])
            axes[2 * place, 0].set_ylabel("colour")
            axes[2 * place + 1, 0].set_ylabel("normals")
            for number, (name, pictures) in enumerate(sources.items()):
                for offset, view in enumerate(views):
                    column = 1 + number * len(views) + offset
                    axes[2 * place, column].imshow(pictures["rgb"][subject, view])
                    axes[2 * place + 1, column].imshow(pictures["normal"][subject, view])
                    label = name.replace(" (", "\n(")
                    axes[0, column].set_title(f"{label}\n{wanted[offset]:g}°", fontsize=8)
        figure.suptitle(title, fontsize=9)
    return figure
