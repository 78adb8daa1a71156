"""PoseGen's figures: samples, hardness by round, where poses lie, overlays, turntables."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from poseloop.body.joints import BONES
from poseloop.report.style import COLOURS, bare, new_figure


def draw_grid(rows: Mapping[str, np.ndarray], title: str) -> Figure:
    """Rows of pictures (n, S, S, 3) uint8, each under its name."""
    width = max(map(len, rows.values()))
    with new_figure(0.8 * width + 1.0, 0.85 * len(rows) + 0.6) as figure:
        axes = figure.subplots(len(rows), width, squeeze=False)
        for line, (name, pictures) in zip(axes, rows.items(), strict=True):
            for axis in line:
                bare(axis)
            for axis, picture in zip(line, pictures, strict=False):
                axis.imshow(picture)
            line[0].set_ylabel(name, rotation=0, ha="right", va="center", fontsize=8)
        figure.suptitle(title, fontsize=9)
    return figure


def draw_hardness(rounds: Mapping[str, Sequence[np.ndarray]], bins: int) -> Figure:
    """Histograms of hardness, one panel per method, one line per round.

    Parameters
    ----------
    rounds : mapping
        Method's label to the hardness (n,) of what it rendered in each round, all seeds.
    """
    edge = max(np.percentile(np.concatenate(list(parts)), 99) for parts in rounds.values())
    edges = np.linspace(0, edge, bins + 1)
    columns = min(3, len(rounds))
    lines = -(-len(rounds) // columns)
    with new_figure(3.0 * columns, 2.0 * lines + 0.4) as figure:
        axes = figure.subplots(lines, columns, squeeze=False).ravel()
        for axis, (name, parts) in zip(axes, rounds.items(), strict=False):
            for number, values in enumerate(parts):
                axis.hist(
                    values,
                    edges,
                    density=True,
                    histtype="step",
                    color=COLOURS[1 + number % 6],
                    label=f"round {number + 1}, mean {values.mean():.2f}",
                )
            axis.set_title(name, fontsize=9)
            axis.legend(fontsize=7)
        for axis in axes[len(rounds) :]:
            axis.remove()
        figure.supxlabel("error over the mean error on ordinary pictures", fontsize=9)
    return figure


def draw_coverage(joints: Mapping[str, np.ndarray], views: Mapping[str, np.ndarray]) -> Figure:
    """Where poses and views lie.

    Parameters
    ----------
    joints : mapping
        Name to root-relative joints (N, 24, 3) turned to face the camera alike; the first entry's
        two main directions span the plane.
    views : mapping
        Name to cameras (N, 4): elevation against roll is drawn.
    """
    flat = {name: value.reshape(len(value), -1) for name, value in joints.items()}
    everything = np.concatenate(list(flat.values()))
    middle = everything.mean(0)
    axes_of = np.linalg.svd(everything - middle, full_matrices=False)[2][:2]
    with new_figure(7.5, 3.4) as figure:
        left, right = figure.subplots(1, 2)
        for colour, (name, value) in zip(COLOURS, flat.items(), strict=False):
            place = (value - middle) @ axes_of.T
            left.scatter(*place.T, s=5, alpha=0.5, color=colour, label=name)
        for colour, (name, value) in zip(COLOURS, views.items(), strict=False):
            right.scatter(value[:, 1], value[:, 2], s=5, alpha=0.5, color=colour, label=name)
        left.set(title="poses (two main directions)", xlabel="metres", ylabel="metres")
        right.set(title="views", xlabel="elevation, degrees", ylabel="roll, degrees")
        left.legend(fontsize=7, markerscale=2)
    return figure


def draw_overlays(
    pictures: np.ndarray, skeletons: Mapping[str, np.ndarray], names: Sequence[str]
) -> Figure:
    """Skeletons over pictures, one column for each source.

    Parameters
    ----------
    pictures : (N, S, S, 3) uint8
    skeletons : mapping
        Source to joints (N, 24, 2) in the picture, x right and y up in [-0.5, 0.5].
    names : N names of lines
    """
    size = pictures.shape[1]
    count = len(skeletons)
    with new_figure(1.7 * count + 0.6, 1.6 * len(pictures) + 0.4) as figure:
        axes = figure.subplots(len(pictures), count, squeeze=False)
        for column, (source, joints) in enumerate(skeletons.items()):
            axes[0, column].set_title(source, fontsize=8)
            for axis, picture, points in zip(axes[:, column], pictures, joints, strict=True):
                axis.imshow(picture)
                place = points * [size, -size] + (size - 1) / 2
                for start, end in BONES:
                    axis.plot(*place[[start, end]].T, color=COLOURS[2], linewidth=1.2)
                axis.set(xlim=(-0.5, size - 0.5), ylim=(size - 0.5, -0.5))
                bare(axis)
        for axis, name in zip(axes[:, 0], names, strict=True):
            axis.set_ylabel(name, fontsize=8)
    return figure
