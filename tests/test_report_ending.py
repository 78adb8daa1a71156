"""What a finished run says."""

import pandas as pd
import pytest

from poseloop.report.ending import ending, table_line, time_line
from poseloop.runtime.errors import UserError


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "tables" / "drpose_pose.csv"
    path.parent.mkdir()
    pd.DataFrame(
        {
            "method": ["base", "ours", "ours", "ours"],
            "relative_gain": [None, 0.1, -0.2, 0.0],
            "note": ["", "gain; published: 1", "loss", "no gain"],
        }
    ).to_csv(path, index=False)
    return path


def write_timing(path, seconds, cpu, memory):
    path.write_text(f"s\tcpu_time\tmax_rss\n{seconds}\t{cpu}\t{memory}\n")
    return path


def test_verdicts_are_counted_from_the_table(table):
    assert table_line(table).split(maxsplit=1) == ["drpose_pose", "1 gain, 1 loss, 1 no gain"]


def test_a_table_without_comparisons_counts_none(tmp_path):
    path = tmp_path / "posegen_nerf.csv"
    path.write_text("method,relative_gain,note\nparts,,\nrelative,,\n")
    assert table_line(path).endswith("0 gain, 0 loss, 0 no gain")


def test_the_base_is_no_comparison_and_another_csv_is_refused(tmp_path):
    path = tmp_path / "cost.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(UserError, match=r"cost\.csv: not a table of results"):
        table_line(path)


def test_time_names_the_longest_and_the_largest_job(tmp_path):
    files = {
        "train": write_timing(tmp_path / "a.tsv", 100, 90, 500),
        "render": write_timing(tmp_path / "b.tsv", 10, 30, 2500),
        "gone": tmp_path / "c.tsv",
        "foreign": tmp_path / "d.tsv",
        "short": write_timing(tmp_path / "e.tsv", 0.1, "NA", "NA"),
    }
    files["foreign"].write_text("a,b\n1,2\n")
    assert time_line(files) == (
        "2 jobs, 2.0 CPU minutes; longest train, 100 s; largest render, 2.5 GB"
    )
    assert time_line({"gone": tmp_path / "c.tsv"}) == "no job was timed"


def test_a_run_that_made_a_table_says_where_to_look(table, tmp_path):
    figure = tmp_path / "figures" / "fig.png"
    other = table.with_name("cost.csv")
    other.write_text("method,cpu_s\nours,1\n")
    lines = ending([figure, table, other], {})
    assert sum("drpose_pose" in line for line in lines) == 1
    assert not any("cost" in line for line in lines)
    assert f"Figures: {figure.parent}/*.png" in lines
    assert ending([figure], {}) == []
