"""Spread of joint positions in the pose set beside that of the training scans."""

from matplotlib.figure import Figure

from poseloop.report.style import COLOURS, new_figure
from poseloop.runtime.errors import UserError


def draw_diversity(content: dict) -> Figure:
    """Both distributions of joint distances, and the ratio of spreads beside the paper's.

    Parameters
    ----------
    content : dict
        What `data.diversity` wrote: densities over common bins, spreads, ratios.

    Raises
    ------
    UserError
        A value is missing.
    """
    try:
        edges, densities = content["distance_bin_edges_m"], content["distance_density"]
        ratios = content["ratio"], content["published_ratio"]
        poses = content["poses"]
        spreads = {key: content[f"spread_{key}_m"] for key in ("scans", "poseset")}
        names = {"scans": "training scans", "poseset": "pose set"}
        labels = {
            key: f"{name}\n{poses[key]:,} poses, spread {spreads[key]:.3f} m"
            for key, name in names.items()
        }
        with new_figure(7.2, 3.2) as figure:
            left, right = figure.subplots(1, 2, width_ratios=[3, 1])
            for colour, (key, label) in zip(COLOURS, labels.items(), strict=False):
                left.stairs(densities[key], edges, color=colour, fill=True, alpha=0.35, label=label)
                left.stairs(densities[key], edges, color=colour, linewidth=1.4)
            left.set_xlabel("distance of a joint from its mean place, root-aligned (m)")
            left.set_ylabel("density (1/m)")
            left.legend()
            left.set_title("How far joints move")
            bars = right.bar(["here", "paper"], ratios, color=[COLOURS[1], COLOURS[0]], width=0.6)
            right.bar_label(bars, fmt="%.2f")
            right.axhline(1, color="black", linewidth=0.8, linestyle=":")
            right.set_title("Ratio of spreads")
    except (KeyError, TypeError) as fault:
        raise UserError(f"pose diversity: lacks {fault}") from fault
    return figure
