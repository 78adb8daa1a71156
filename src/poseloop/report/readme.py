"""The README's results, made from the tables: numbers are inserted, never typed."""

import pandas as pd

from poseloop.report.markdown import to_markdown
from poseloop.runtime.errors import UserError

BEGIN, END = "<!-- results:begin -->", "<!-- results:end -->"
HEADLINE = ("chamfer", "normal_consistency", "judge_mpjpe", "mask_iou", "psnr", "posescore")


def results_section(tables: list[pd.DataFrame]) -> str:
    """Markdown table of the headline metrics over all benchmarks and methods."""
    table = pd.concat(tables, ignore_index=True)
    return to_markdown(table[table["metric"].isin(HEADLINE)])


def insert_results(readme: str, section: str) -> str:
    """The README with `section` between its two markers.

    Raises
    ------
    UserError
        The markers are not there, once each and in order.
    """
    before, begin, rest = readme.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end or BEGIN in after:
        raise UserError(f"README.md: needs the markers {BEGIN} and {END}, once each, in this order")
    return f"{before}{BEGIN}\n\n{section.strip()}\n\n{END}{after}"
