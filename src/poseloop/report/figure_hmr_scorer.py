"""Scores of the base's hypotheses against their errors."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from poseloop.hmr.ranking import within_pictures
from poseloop.report.style import COLOURS, new_figure


def draw_scores(arrays: Mapping[str, np.ndarray], benchmarks: Sequence[str]) -> Figure:
    """A panel for each benchmark: hypotheses as points, and in colour the trend in each picture.

    Parameters
    ----------
    arrays : mapping
        `<benchmark>_scores` and `<benchmark>_mpjpe`, (N, M) each.
    """
    with new_figure(3.4 * len(benchmarks), 3.2) as figure:
        axes = figure.subplots(1, len(benchmarks), squeeze=False)[0]
        for axis, name in zip(axes, benchmarks, strict=True):
            scores, errors = arrays[f"{name}_scores"], arrays[f"{name}_mpjpe"]
            axis.scatter(errors, scores, s=2, color=COLOURS[0], alpha=0.15, linewidths=0)
            for given, truth in zip(scores, errors, strict=True):
                middle, side = truth.mean(), truth.std()
                slope = np.cov(truth, given)[0, 1] / max(side**2, 1e-9)
                ends = np.array([-side, side])
                colour = COLOURS[1] if slope < 0 else COLOURS[2]
                axis.plot(middle + ends, given.mean() + slope * ends, color=colour, linewidth=0.8)
            within = within_pictures(scores, errors).mean()
            axis.set_title(f"{name}: SRCC within a picture {within:.2f}")
            axis.set_xlabel("MPJPE (mm)")
            axis.set_ylabel("score")
        figure.suptitle(
            "HMR-Scorer on the base's hypotheses; a line for each picture, blue where better "
            "hypotheses score higher",
            fontsize=9,
        )
    return figure
