"""Helpers of the web page's rules: where its parts lie, and which files of other loops exist.

In:  <results>/tables/ and <results>/figures/; report_html.yaml.
Out: PAGE, recorded_pipelines(), lock_of(), existing() and compared() for report_html.smk.
"""

from poseloop.report.html.config import HtmlConfig
from poseloop.runtime.pipelines import lock_of, recorded_pipelines

PAGE = "workflow/report/html"


def existing(pattern):
    """Files of the other loops that are there; the page has a section for each loop with tables."""
    return sorted(map(str, Path(f"results/{PRESET}").glob(pattern)))


def compared():
    """Tables and records of the run that the page is to compare with."""
    other = or_exit(load_config, cfg("report_html"), HtmlConfig).compare_with
    if other is None:
        return []
    return sorted(
        map(str, [*Path(other).glob("tables/*.csv"), *Path(other).glob("machine.json")])
    )
