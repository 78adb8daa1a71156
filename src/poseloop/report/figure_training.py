"""Reward, drift and validation along fine-tuning."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from poseloop.report.style import COLOURS, new_figure
from poseloop.runtime.errors import UserError
from poseloop.runtime.files import require_file

_TITLES = {
    "reward": "reward of training samples",
    "kl": "drift from the base (KL)",
    "anchor": "diffusion loss on scans (anchor)",
}


def read_logs(paths: list[Path]) -> dict[str, list[pd.DataFrame]]:
    """Logs by variant from drpose/{variant}/seed{seed}/log.csv, seeds in their order.

    Raises
    ------
    UserError
        A file is missing or has no columns `step`, `reward` and `kl`.
    """
    logs: dict[str, list[pd.DataFrame]] = {}
    for path in sorted(paths):
        try:
            log = pd.read_csv(require_file(path, "training log"))
        except (ValueError, UnicodeDecodeError) as fault:
            raise UserError(f"{path}: not a CSV file ({fault})") from fault
        missing = {"step", "reward", "kl"} - set(log.columns)
        if missing:
            raise UserError(f"{path}: lacks the column(s) {', '.join(sorted(missing))}")
        logs.setdefault(path.parent.parent.name, []).append(log)
    return logs


def draw_training(
    logs: dict[str, list[pd.DataFrame]], methods: Mapping[str, str], smoothing: int
) -> Figure:
    """One panel per logged quantity; a thin line per seed, a thick one for their mean.

    Parameters
    ----------
    logs : dict
        Variant to the logs of its seeds.
    methods : mapping
        Variant to its name in figures; its place in the order gives the colour.
    smoothing : int
        Steps of the running mean of what is logged at every step.
    """
    names = {name: None for parts in logs.values() for part in parts for name in part.columns}
    panels = [name for name in _TITLES if name in names]
    panels += [name for name in names if name.startswith("validation_")]
    columns = min(4, len(panels))
    rows = -(-len(panels) // columns)
    with new_figure(3.4 * columns, 2.5 * rows) as figure:
        axes = figure.subplots(rows, columns, squeeze=False).ravel()
        for axis, name in zip(axes, panels, strict=False):
            for colour, (variant, label) in zip(COLOURS, methods.items(), strict=False):
                parts = [log for log in logs.get(variant, []) if name in log]
                _curve(axis, parts, name, 1 if "validation" in name else smoothing, colour, label)
            axis.set_title(_TITLES.get(name, name.replace("_", " ")))
            axis.set_xlabel("step")
        for axis in axes[len(panels) :]:
            axis.remove()
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=max(1, len(labels)))
        figure.suptitle(
            f"Fine-tuning, thin: single seeds, thick: mean (running mean of {smoothing} steps; "
            "each variant's reward by its own distance)",
            fontsize=9,
        )
    return figure


def _curve(axis, parts, name: str, window: int, colour: str, label: str) -> None:
    curves = []
    for log in parts:
        values = log.set_index("step")[name].dropna()
        curves.append(values.rolling(window, min_periods=1).mean())
        axis.plot(curves[-1].index, curves[-1], color=colour, linewidth=0.6, alpha=0.5)
    if curves:
        mean = pd.concat(curves, axis=1).mean(axis=1)
        marker = "o" if len(mean) < 20 else ""
        axis.plot(mean.index, mean, color=colour, linewidth=1.8, marker=marker, label=label)
        if name == "kl" and np.any(mean > 0):
            axis.set_yscale("log")
