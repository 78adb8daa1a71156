"""DPO along its steps: what winners and losers gain, and at which timesteps."""

from collections.abc import Mapping, Sequence

import pandas as pd
from matplotlib.figure import Figure

from poseloop.hmr.tune_config import BINS
from poseloop.report.style import COLOURS, new_figure

_PANELS = {
    "winner_change": "winners' error, policy less reference",
    "loser_change": "losers' error, policy less reference",
    "implicit_accuracy": "implicit accuracy",
    "drift": "drift from the reference",
}


def draw_dpo_training(
    logs: Mapping[str, Sequence[pd.DataFrame]], methods: Mapping[str, str], smoothing: int
) -> Figure:
    """Panels of the logged terms and one of the logits for each bin of the timestep.

    Parameters
    ----------
    logs : mapping
        Variant to the logs of its seeds.
    methods : mapping
        Variant to its name in the figure.
    smoothing : int
        Steps of the running mean.
    """
    bins = {f"logit_bin{index}": f"logit, timesteps {_bin(index)}" for index in range(BINS)}
    panels = {**_PANELS, **bins}
    with new_figure(3.1 * 4, 2.4 * 2) as figure:
        axes = figure.subplots(2, 4).ravel()
        for axis, (column, title) in zip(axes, panels.items(), strict=True):
            axis.set_title(title, fontsize=8)
            if not any(column in seed for seeds in logs.values() for seed in seeds):
                # Below `least_timestep`.
                axis.text(0.5, 0.5, "never drawn", ha="center", transform=axis.transAxes)
                axis.set_axis_off()
                continue
            for colour, (variant, seeds) in zip(COLOURS[1:], logs.items(), strict=False):
                # In a short run a seed may draw nothing in a bin that others draw in.
                curves = [
                    seed.set_index("step").reindex(columns=[column])[column] for seed in seeds
                ]
                curves = [curve.rolling(smoothing, min_periods=1).mean() for curve in curves]
                for curve in curves:
                    axis.plot(curve.index, curve, color=colour, linewidth=0.5, alpha=0.5)
                mean = pd.concat(curves, axis=1).mean(axis=1)
                axis.plot(mean.index, mean, color=colour, linewidth=1.6, label=methods[variant])
            axis.set_xlabel("step")
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=max(1, len(labels)))
        figure.suptitle(
            f"DPO, thin: seeds, thick: mean (running mean of {smoothing} steps)", fontsize=9
        )
    return figure


def _bin(index: int) -> str:
    return f"{index / BINS:.2f}T to {(index + 1) / BINS:.2f}T"
