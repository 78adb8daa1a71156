"""Dates that Snakemake goes by: of the future, and of changes that look old; unfinished files."""

import os
import subprocess
import sys
import time

import pytest

from poseloop.runtime.dates import put_dates_right
from poseloop.runtime.files import atomic_path, read_json
from poseloop.runtime.leftovers import remove_leftovers

DAY_S = 24 * 3600.0


@pytest.fixture
def files(tmp_path, monkeypatch):
    """A config file, made an hour ago, and three results in the order of their dates."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "results/a").mkdir(parents=True)
    paths = [tmp_path / name for name in ("config.yaml", "results/1", "results/a/0", "results/2")]
    for order, path in enumerate(paths):
        path.write_text(path.name)
        date_at(path, time.time() - 3600 + order)
    return paths


def date_at(path, seconds: float) -> None:
    os.utime(path, (seconds, seconds))


def look(paths) -> list[str]:
    root = paths[0].parent
    return [path.name for path in put_dates_right(paths[:1], root / "results", root / "record")]


def dates(paths) -> list[int]:
    return [path.stat().st_mtime_ns for path in paths]


def test_honest_dates_stay(files):
    before = dates(files)
    assert look(files) == look(files) == []
    assert dates(files) == before
    assert list(read_json(files[0].parent / "record")) == [str(files[0])]


def test_results_of_the_future_are_dated_now_in_their_order(files):
    for days, path in ((3, files[1]), (2, files[3])):
        date_at(path, time.time() + days * DAY_S)
    start = time.time_ns()
    assert look(files) == ["2", "1"]
    config, first, untouched, second = dates(files)
    assert config < untouched < start < second < first < time.time_ns() + 10**9
    assert look(files) == []


def test_an_edit_after_results_of_the_future_is_newer_than_they(files):
    look(files)
    date_at(files[3], time.time() + 2 * DAY_S)
    files[0].write_text("edited")
    assert look(files) == ["2", "config.yaml"]
    assert dates(files)[0] > max(dates(files)[1:])


def test_a_change_with_an_old_date_is_dated_now(files):
    look(files)
    files[0].write_text("edited")
    date_at(files[0], time.time() - 2 * DAY_S)
    assert look(files) == ["config.yaml"]
    assert dates(files)[0] > max(dates(files)[1:])
    assert look(files) == []


@pytest.mark.parametrize("content", ["", "[1]", "{", "\x00"])
def test_a_record_that_cannot_be_read_is_written_anew(files, content):
    (files[0].parent / "record").write_text(content)
    assert look(files) == []
    assert list(read_json(files[0].parent / "record")) == [str(files[0])]


def test_unfinished_files_of_a_killed_writer_go_and_no_other(tmp_path):
    code = (
        "import os, signal, sys; from poseloop.runtime.files import atomic_path\n"
        "with atomic_path(sys.argv[1]) as path:\n"
        "    path.write_text('half'); os.kill(os.getpid(), signal.SIGKILL)"
    )
    for name in ("table.csv", "README"):
        subprocess.run([sys.executable, "-c", code, tmp_path / "a" / name])
    (tmp_path / "a/.hidden.part.npz").write_text("of somebody else")
    with atomic_path(tmp_path / "a/whole.npz") as mine:
        mine.write_text("in work")
        removed = remove_leftovers(tmp_path)
    assert sorted(path.name.split(".")[1] for path in removed) == ["README", "table"]
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == [
        ".hidden.part.npz",
        "whole.npz",
    ]
