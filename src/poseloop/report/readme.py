"""The README's results, made from the tables: numbers are inserted, never typed."""

from dataclasses import dataclass

import pandas as pd

from poseloop.evaluate import metrics
from poseloop.report import hmr_metrics, posegen_metrics
from poseloop.report.layout import Describe
from poseloop.report.markdown import to_markdown
from poseloop.runtime.errors import UserError


@dataclass(frozen=True)
class Headline:
    """What of a loop's tables stands in the README.

    Attributes
    ----------
    tables : names of the files
    metrics : rows
    describe : what each metric is, as in `layout.wide`
    methods : columns; None for all
    """

    tables: tuple[str, ...]
    metrics: tuple[str, ...]
    describe: Describe
    methods: tuple[str, ...] | None = None

    def section(self, tables: list[pd.DataFrame]) -> str:
        """Markdown table of the headline metrics over all benchmarks."""
        table = pd.concat(tables, ignore_index=True)
        table = table[table["metric"].isin(self.metrics)]
        if self.methods is not None:
            table = table[table["method"].isin(self.methods)]
        return to_markdown(table, self.describe)


HEADLINES = {
    "drpose": Headline(
        tables=("drpose_appearance.csv", "drpose_geometry.csv", "drpose_pose.csv"),
        metrics=(
            "chamfer",
            "normal_consistency",
            "judge_mpjpe",
            "mask_iou",
            "psnr",
            "posescore",
        ),
        describe=metrics.describe,
    ),
    "adhmr": Headline(
        tables=("adhmr_main.csv",),
        metrics=(
            "mpjpe_min_100",
            "mpjpe_select",
            "mpjpe_zero",
            "pa_mpjpe_min_100",
            "pa_mpjpe_select",
            "pa_mpjpe_zero",
            "spread",
        ),
        describe=hmr_metrics.describe,
        methods=("base", "SFT on the scorer's set", "ADHMR"),
    ),
    "posegen": Headline(
        tables=("posegen_main.csv",),
        metrics=("mpjpe", posegen_metrics.HEADLINE),
        describe=posegen_metrics.describe,
    ),
}


def insert_results(readme: str, loop: str, section: str) -> str:
    """The README with `section` between the two markers of a loop.

    Raises
    ------
    UserError
        The markers are not there, once each and in order.
    """
    first, last = f"<!-- {loop}:begin -->", f"<!-- {loop}:end -->"
    before, begin, rest = readme.partition(first)
    _, end, after = rest.partition(last)
    if not begin or not end or first in after:
        raise UserError(
            f"README.md: needs the markers {first} and {last}, once each, in this order"
        )
    return f"{before}{first}\n\n{section.strip()}\n\n{last}{after}"
