"""Helpers of the web page's rules: where its parts lie, and which files of other loops exist.

In:  <results>/tables/ and <results>/figures/.
Out: PAGE and existing() for report_html.smk.
"""

PAGE = "workflow/report/html"


def existing(pattern):
    """Files of the other loops that are there; the page has a section for each loop with tables."""
    return sorted(map(str, Path(f"results/{PRESET}").glob(pattern)))
