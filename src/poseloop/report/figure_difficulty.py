"""Error against the distance of a pose from the training scans."""

import numpy as np
from matplotlib.figure import Figure

from poseloop.evaluate.metrics import describe
from poseloop.evaluate.statistics import mean_interval
from poseloop.report.style import COLOURS, MARKERS, new_figure


def quantile_bins(values: np.ndarray, bins: int) -> list[np.ndarray]:
    """Indices of the values in `bins` groups of equal size (to within one), smallest first."""
    return [part for part in np.array_split(np.argsort(values, kind="stable"), bins) if len(part)]


def draw_difficulty(
    distance: np.ndarray,
    errors: dict[str, np.ndarray],
    metric: str,
    bins: int,
    resamples: int,
    rng: np.random.Generator,
) -> Figure:
    """One faint point per subject and method; means of bins with 95 % intervals.

    Parameters
    ----------
    distance : (N,) array
        Distance of each subject's pose from the nearest training scan, metres
        (`evaluate.difficulty`).
    errors : dict
        Method's name to (seeds, N) errors.
    metric : str
        Which metric the errors are.
    bins : int
        Bins of equally many subjects.
    """
    kind = describe(metric)
    with new_figure(6.2, 3.8) as figure:
        axis = figure.subplots()
        parts = quantile_bins(distance, bins)
        centres = np.array([distance[part].mean() for part in parts])
        step = 0.004 * np.ptp(distance)
        for number, (name, values) in enumerate(errors.items()):
            colour, marker = COLOURS[number], MARKERS[number]
            per_subject = values.mean(0)
            axis.scatter(distance, per_subject, s=6, color=colour, alpha=0.25, linewidths=0)
            means = np.array([mean_interval(per_subject[part], resamples, rng) for part in parts])
            axis.errorbar(
                centres + step * number,
                means[:, 0],
                yerr=np.abs(means[:, 1:] - means[:, :1]).T,
                color=colour,
                marker=marker,
                markersize=5,
                capsize=3,
                linewidth=1.6,
                label=name,
            )
        axis.set_xlabel("distance of the pose from the nearest training scan (m, RMS over joints)")
        axis.set_ylabel(f"{kind.label} ({kind.unit}), {kind.better} is better")
        axis.set_title("Error by pose difficulty: bins of equally many subjects, 95 % intervals")
        axis.legend()
    return figure
