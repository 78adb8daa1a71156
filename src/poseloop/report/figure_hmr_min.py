"""Error of the best of M hypotheses against M."""

from collections.abc import Iterable, Mapping

import numpy as np
from matplotlib.figure import Figure

from poseloop.evaluate.statistics import mean_interval
from poseloop.report.hmr_tables import Results
from poseloop.report.style import COLOURS, MARKERS, new_figure

_ERRORS = {"mpjpe": "MPJPE (mm)", "pa_mpjpe": "PA-MPJPE (mm)"}


def draw_min_curves(
    results: Results,
    methods: Mapping[str, str],
    benchmarks: Iterable[str],
    resamples: int,
    rng: np.random.Generator,
) -> Figure:
    """A panel for each error and benchmark; bands are 95 % intervals over pictures.

    Parameters
    ----------
    results : (method, benchmark, metric) to (seeds, pictures) values
    methods : mapping
        Name in paths to name in the figure.
    """
    benchmarks = list(benchmarks)
    with new_figure(3.3 * len(benchmarks), 2.6 * len(_ERRORS)) as figure:
        axes = figure.subplots(len(_ERRORS), len(benchmarks), squeeze=False)
        for line, (error, label) in zip(axes, _ERRORS.items(), strict=True):
            for axis, benchmark in zip(line, benchmarks, strict=True):
                for number, (method, name) in enumerate(methods.items()):
                    counts = _counts(results, method, benchmark, error)
                    if not counts:
                        continue
                    curve = np.array(
                        [
                            mean_interval(
                                results[method, benchmark, f"{error}_min_{m}"].mean(0),
                                resamples,
                                rng,
                            )
                            for m in counts
                        ]
                    )
                    colour, marker = COLOURS[number], MARKERS[number]
                    axis.plot(
                        counts, curve[:, 0], color=colour, marker=marker, markersize=4, label=name
                    )
                    axis.fill_between(
                        counts, curve[:, 1], curve[:, 2], color=colour, alpha=0.12, linewidth=0
                    )
                axis.set_xscale("log")
                axis.set_title(benchmark)
                axis.set_xlabel("M, hypotheses")
                axis.set_ylabel(label)
        handles, labels = axes[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=max(1, len(labels)))
        figure.suptitle("Best of M hypotheses, chosen with the truth (oracle)", fontsize=9)
    return figure


def _counts(results: Results, method: str, benchmark: str, error: str) -> list[int]:
    start = f"{error}_min_"
    return sorted(
        int(metric.removeprefix(start))
        for name, where, metric in results
        if (name, where) == (method, benchmark) and metric.startswith(start)
    )
