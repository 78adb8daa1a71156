import pytest

from poseloop.report.readme import BEGIN, END, insert_results
from poseloop.runtime.errors import UserError


def test_only_what_lies_between_the_markers_changes():
    readme = f"above\n{BEGIN}\nold\n{END}\nbelow\n"
    filled = insert_results(readme, "new\n")
    assert filled == f"above\n{BEGIN}\n\nnew\n\n{END}\nbelow\n"
    assert insert_results(filled, "new") == filled


@pytest.mark.parametrize("readme", ["none", f"{END} {BEGIN}", f"{BEGIN}{END}{BEGIN}{END}"])
def test_missing_or_doubled_markers_are_refused(readme):
    with pytest.raises(UserError, match="markers"):
        insert_results(readme, "new")
