"""Proxy against judge along fine-tuning, and what else moves with the proxy."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from poseloop.evaluate.hacking.metrics import describe
from poseloop.evaluate.hacking.runs import pivot
from poseloop.report.hacking import LAST
from poseloop.report.style import COLOURS, MARKERS, new_figure

_PROXY, _JUDGE = "proxy_reward", "judge_mpjpe"
# Titles fit a panel of half a column's width.
_PANELS = {
    "held_out_reward": "held-out reward",
    "sharpness": "sharpness of the proxy",
    "cycle_error": "cycle error (true: 1)",
    "drift_latents": "drift of samples",
    "diversity_normal": "diversity over noises",
    "contrast": "contrast (true: 1)",
}
_TRUTH = {"cycle_error": 1.0, "contrast": 1.0}


def draw_hacking(
    runs: pd.DataFrame,
    chosen: Mapping[str, int],
    labels: Mapping[str, str],
    table: pd.DataFrame,
    sets: list[str],
) -> Figure:
    """One panel a set of relative gains over the base, and small panels over the steps.

    Gains of proxy and judge are means over seeds and reporting subjects; the cross at the last
    step is the table's 95 % interval. Small panels are means over sets too.

    Parameters
    ----------
    runs, table : DataFrame
        From `runs.read_runs` and `hacking.make_hacking_table`.
    chosen, labels : mapping
        Arm to its chosen step and to its name; the order gives colours and markers.
    """
    looks = dict(zip(labels, zip(COLOURS[1:], MARKERS, strict=False), strict=False))
    with new_figure(5.2, 8.4) as figure:
        grid = figure.add_gridspec(4, 2, height_ratios=[1.5, 1, 1, 1])
        top = grid[0, :].subgridspec(1, len(sets))
        first = None
        for place, name in zip(top, sets, strict=True):
            axis = figure.add_subplot(place, sharex=first, sharey=first)
            _draw_paths(axis, runs, chosen, looks, table, name)
            axis.set_title(name.replace("_", " "))
            axis.set_xlabel("gain of the proxy reward (%)")
            if first is None:
                axis.set_ylabel("gain of the judge,\nMPJPE (%)")
            first = first or axis
        _shade_hacking(first, figure.axes)
        for place, (measure, title) in zip(list(grid)[2:], _PANELS.items(), strict=True):
            axis = figure.add_subplot(place)
            _draw_steps(axis, runs, chosen, looks, measure, sets)
            axis.set_title(title)
            if place.is_last_row():
                axis.set_xlabel("step")
        handles = [
            Line2D([], [], color=colour, marker=marker, label=labels[arm])
            for arm, (colour, marker) in looks.items()
        ]
        star = {"marker": "*", "markersize": 11, "linestyle": ""}
        handles.append(Line2D([], [], color="black", label="chosen stop", **star))
        figure.legend(handles=handles, loc="outside lower center", ncols=2)
    return figure


def _steps(runs: pd.DataFrame, arm: str) -> list[int]:
    return sorted(runs.loc[runs["arm"] == arm, "step"].unique())


def _gains(runs: pd.DataFrame, arm: str, measure: str, name: str) -> np.ndarray:
    """Relative gain over step 0 in percent, positive where better, one value per step."""
    means = np.array([pivot(runs, arm, step, measure, [name]).mean() for step in _steps(runs, arm)])
    sign = {"higher": 1, "lower": -1}[describe(measure).better]
    return 100 * sign * (means - means[0]) / abs(means[0])


def _few(steps: list[int]) -> list[int]:
    """At most five of the steps, the last among them."""
    return steps[::-1][:: -(-len(steps) // 5)][::-1]


def _draw_paths(axis: Axes, runs, chosen, looks, table: pd.DataFrame, name: str) -> None:
    axis.axhline(0, color="black", linewidth=0.8)
    axis.axvline(0, color="black", linewidth=0.8)
    for arm, (colour, marker) in looks.items():
        x, y = (_gains(runs, arm, measure, name) for measure in (_PROXY, _JUDGE))
        axis.plot(x, y, color=colour, marker=marker, markersize=4, linewidth=1.4)
        at = _steps(runs, arm).index(chosen[arm])
        _mark_chosen(axis, x[at], y[at], colour)
        last = table[(table["arm"] == arm) & (table["stop"] == LAST) & (table["benchmark"] == name)]
        spread = [
            [[100 * abs(row[end] - row["relative_gain"])] for end in ("ci_low", "ci_high")]
            for measure in (_PROXY, _JUDGE)
            for row in last[last["metric"] == measure].to_dict("records")
        ]
        if len(spread) == 2:
            wide = {"color": colour, "alpha": 0.45, "linewidth": 1}
            axis.errorbar(x[-1], y[-1], xerr=spread[0], yerr=spread[1], fmt="none", **wide)


def _draw_steps(axis: Axes, runs, chosen, looks, measure: str, sets: list[str]) -> None:
    if measure in _TRUTH:
        axis.axhline(_TRUTH[measure], color="black", linewidth=0.8, linestyle=":")
    for arm, (colour, marker) in looks.items():
        steps = _steps(runs, arm)
        means = [pivot(runs, arm, step, measure, sets).mean() for step in steps]
        axis.plot(steps, means, color=colour, marker=marker, markersize=3.5, linewidth=1.2)
        _mark_chosen(axis, chosen[arm], means[steps.index(chosen[arm])], colour)
    axis.set_xticks(_few(sorted(runs["step"].unique())))
    axis.yaxis.set_major_locator(MaxNLocator(4))


def _mark_chosen(axis: Axes, x: float, y: float, colour: str) -> None:
    axis.plot(x, y, marker="*", markersize=11, color=colour, markeredgecolor="black", zorder=5)


def _shade_hacking(first: Axes, axes: list[Axes]) -> None:
    """Shade where the proxy gains and the judge loses, in panels that share their limits."""
    (left, right), (low, high) = first.get_xlim(), first.get_ylim()
    right, low = max(right, 1.0), min(low, -0.15 * (high - low))
    first.set_xlim(left, right)
    first.set_ylim(low, high)
    for axis in axes:
        axis.fill_between([0, right], low, 0, color="#D55E00", alpha=0.08, linewidth=0)
        place = {"xytext": (4, 4), "textcoords": "offset points"}
        axis.annotate("hacked", (0, low), fontsize=9, style="italic", **place)
