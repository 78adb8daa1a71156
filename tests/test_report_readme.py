import pandas as pd
import pytest

from poseloop.report.readme import HEADLINES, insert_results
from poseloop.runtime.errors import UserError

BEGIN, END = "<!-- drpose:begin -->", "<!-- drpose:end -->"


def test_only_what_lies_between_the_markers_of_the_loop_changes():
    other = "<!-- adhmr:begin -->kept<!-- adhmr:end -->"
    readme = f"above\n{BEGIN}\nold\n{END}\n{other}\nbelow\n"
    filled = insert_results(readme, "drpose", "new\n")
    assert filled == f"above\n{BEGIN}\n\nnew\n\n{END}\n{other}\nbelow\n"
    assert insert_results(filled, "drpose", "new") == filled


@pytest.mark.parametrize("readme", ["none", f"{END} {BEGIN}", f"{BEGIN}{END}{BEGIN}{END}"])
def test_missing_or_doubled_markers_are_refused(readme):
    with pytest.raises(UserError, match="markers"):
        insert_results(readme, "drpose", "new")


def test_a_section_holds_its_metrics_and_methods_alone():
    table = pd.read_csv("results/demo/tables/adhmr_main.csv")
    section = HEADLINES["adhmr"].section([table])
    assert "MPJPE, min over 100" in section
    assert "PVE" not in section
    assert "| ADHMR |" in section
    assert "regressor" not in section
