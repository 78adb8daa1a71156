"""Figures of the family and of the ablations: what each arm gains, and what it costs."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from poseloop.evaluate.metrics import describe
from poseloop.report.style import COLOURS, MARKERS, new_figure

# Told apart where the colours begin again.
_LINES = ["-", "--", ":"]
_FILLS = ["full", "none", "left"]


def draw_gains(table: pd.DataFrame, metrics: Sequence[str]) -> Figure:
    """Relative gain of every arm, a panel a metric, a marker a benchmark; bars are 95 % intervals.

    Parameters
    ----------
    table : tidy table of one grid
    metrics : those to show
    """
    rows = table[table["relative_gain"].notna()]
    arms = list(dict.fromkeys(rows["method"]))
    benchmarks = list(dict.fromkeys(rows["benchmark"]))
    offsets = np.linspace(-0.3, 0.3, len(benchmarks)) if len(benchmarks) > 1 else [0.0]
    with new_figure(3.2 * len(metrics) + 2.2, 0.34 * len(arms) + 1.1) as figure:
        panels = figure.subplots(1, len(metrics), sharey=True, squeeze=False)[0]
        for panel, metric in zip(panels, metrics, strict=True):
            for number, (benchmark, offset) in enumerate(zip(benchmarks, offsets, strict=True)):
                part = rows[(rows["benchmark"] == benchmark) & (rows["metric"] == metric)]
                part = part.set_index("method").reindex(arms)
                gain = 100 * part["relative_gain"].to_numpy()
                low, high = (100 * part[end].to_numpy() for end in ("ci_low", "ci_high"))
                panel.errorbar(
                    gain,
                    np.arange(len(arms)) + offset,
                    xerr=np.stack([gain - low, high - gain]),
                    fmt=MARKERS[number],
                    color=COLOURS[number + 1],
                    markersize=3.5,
                    linewidth=1.0,
                    label=benchmark,
                )
            panel.axvline(0.0, color=COLOURS[0], linewidth=0.8)
            panel.set_title(f"{metric} ({describe(metric).better} is better)")
            panel.set_xlabel(f"relative gain over {rows['baseline'].iloc[0]}, %")
        panels[0].set_yticks(np.arange(len(arms)), arms)
        panels[0].invert_yaxis()
        figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    return figure


def draw_costs(
    logs: Mapping[str, pd.DataFrame], cost: pd.DataFrame, reward: str, steps: int
) -> Figure:
    """Reward of held-out poses against the processor's time, and its last value against memory.

    Parameters
    ----------
    logs : name of an arm in tables to the log of one run of it
    cost : table of cost
    reward : column of the logs, empty between validations
    steps : optimiser steps of a run, over which its time is spread
    """
    with new_figure(9.2, 3.4) as figure:
        curves, memory = figure.subplots(1, 2, width_ratios=[1.4, 1.0], sharey=True)
        for number, (label, log) in enumerate(logs.items()):
            spent = cost[cost["method"] == label].iloc[0]
            known = log[log[reward].notna()]
            look = {
                "color": COLOURS[number % len(COLOURS)],
                "marker": MARKERS[number % len(MARKERS)],
                "fillstyle": _FILLS[number // len(COLOURS)],
            }
            curves.plot(
                known["step"] / steps * spent["cpu_s"],
                known[reward],
                linestyle=_LINES[number // len(COLOURS)],
                markersize=3.5,
                linewidth=1.2,
                label=label,
                **look,
            )
            memory.plot(spent["peak_memory_mb"], known[reward].iloc[-1], linestyle="none", **look)
        _name(curves, "processor seconds", f"{reward.replace('_', ' ')} (0 is best)")
        _name(memory, "peak memory, MB", "")
        figure.legend(*curves.get_legend_handles_labels(), loc="outside right center")
    return figure


def _name(panel: Axes, x: str, y: str) -> None:
    panel.set_xlabel(x)
    panel.set_ylabel(y)
