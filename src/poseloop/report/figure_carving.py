"""Hull, fitted body and carved mesh of the same generated views, side by side."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from poseloop.reconstruct.store import Subjects
from poseloop.report.portraits import portraits
from poseloop.report.style import bare, new_figure

SIZE = 160
_FRONT, _TURN = (0.0,), (0.0, 90.0, 180.0)
_GREY = 0.72
_SIDES = ("front", "side", "back")


def draw_carving(rows: Sequence[tuple[str, Sequence[np.ndarray]]], title: str) -> Figure:
    """A line of pictures (S, S, 3) for each subject and method, as `pictures_of` gives them.

    Parameters
    ----------
    rows : name of the line, and its pictures
    """
    names = ["input", "hull", "fitted body"]
    names += [f"carved,\n{side}" for side in _SIDES] + [f"textured,\n{side}" for side in _SIDES]
    with new_figure(1.0 * len(names) + 0.4, 1.05 * len(rows) + 0.6) as figure:
        axes = figure.subplots(len(rows), len(names), squeeze=False)
        for line, (label, pictures) in zip(axes, rows, strict=True):
            for axis, picture in zip(line, pictures, strict=True):
                axis.imshow(picture)
                bare(axis)
            line[0].set_ylabel(label, fontsize=7)
        for axis, name in zip(axes[0], names, strict=True):
            axis.set_title(name, fontsize=8)
        figure.suptitle(title, fontsize=9)
    return figure


def draw_skipped(views: Mapping[str, Subjects], benchmark: str) -> Figure:
    """Words in place of pictures where no subject was carved from all views.

    Parameters
    ----------
    views : name of the views to what became of their subjects
    """
    words = ["no subject was carved from all views"]
    for name, subjects in views.items():
        skipped = sum(isinstance(one, str) for one in subjects.values())
        words.append(f"{name}: {skipped} of {len(subjects)} subjects skipped")
    with new_figure(4.0, 0.25 * len(words) + 0.8) as figure:
        figure.suptitle(benchmark, fontsize=9)
        axis = figure.subplots()
        axis.set_axis_off()
        axis.text(0.5, 0.5, "\n".join(words), ha="center", va="center")
    return figure


def pictures_of(
    picture: np.ndarray,
    hull: tuple[np.ndarray, np.ndarray],
    body: tuple[np.ndarray, np.ndarray],
    carved: tuple[np.ndarray, np.ndarray],
    colours: np.ndarray,
) -> list[np.ndarray]:
    """The input picture, then hull and body from the front, the carved mesh plain and coloured.

    Parameters
    ----------
    picture : (S, S, 3) uint8 array
    hull, body, carved : vertices (V, 3) and faces (F, 3)
        View frame, normalised units.
    colours : (V, 3) uint8 array
        Of the carved mesh.
    """
    plain = [_shade(*mesh, None, turn) for mesh, turn in ((hull, _FRONT), (body, _FRONT))]
    both = [_shade(*carved, colour, _TURN) for colour in (None, colours / 255)]
    return [picture, *(shot for shots in (*plain, *both) for shot in shots)]


def _shade(
    vertices: np.ndarray, faces: np.ndarray, colours: np.ndarray | None, azimuths: Sequence[float]
) -> np.ndarray:
    """Pictures (N, SIZE, SIZE, 3) uint8 of a mesh in the views' frame, grey without colours."""
    if colours is None:
        colours = np.full(vertices.shape, _GREY)
    # `portraits` takes bodies that stand on the ground; one unit is the whole picture.
    standing = np.repeat((vertices + [0.0, 0.5, 0.0])[None], len(azimuths), 0)
    return portraits(standing, faces, colours, azimuths, 1.0, SIZE)
