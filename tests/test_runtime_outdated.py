"""Inputs that change while their job runs: the next run makes its output anew."""

import base64
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from poseloop.runtime.outdated import outdate

ROOT = Path(__file__).resolve().parents[1]

# While the first job that reads a.yaml runs, after it has read it, somebody runs change.sh.
SNAKEFILE = """
from pathlib import Path
from poseloop.runtime.dates import put_dates_right

if workflow.is_main_process:
    put_dates_right([Path("a.yaml"), Path("b.yaml")], Path("results"), Path("record"))

rule all:
    input: "results/below", "results/other"

rule work:
    input: "a.yaml", "b.yaml"
    output: "results/one", "results/two"
    shell:
        "cat {input} > {output[0]}; cp {output}; echo work >> ran.log;"
        "if [ -e change.sh ]; then mv change.sh changed.sh; . ./changed.sh; fi"

rule below:
    input: "results/one"
    output: "results/below"
    shell: "cp {input} {output}"

rule other:
    input: "b.yaml"
    output: "results/other"
    shell: "cp {input} {output}; echo other >> ran.log"
"""


def snakemake(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        [Path(sys.executable).with_name("snakemake"), "--cores", "1", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


@pytest.mark.parametrize(
    "change",
    [
        "echo edited > a.yaml",
        "echo edited > a.yaml; touch -d '2 days ago' a.yaml",
        "echo edited > new; touch -d '2 days ago' new; mv new a.yaml",
    ],
)
def test_a_config_edited_while_its_job_runs_makes_the_job_run_again(change, tmp_path):
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text("first\n")
    (tmp_path / "Snakefile").write_text(SNAKEFILE)
    (tmp_path / "change.sh").write_text(change)
    snakemake(tmp_path)
    assert (tmp_path / "results/below").read_text() == "first\nfirst\n"

    assert "results/below" in snakemake(tmp_path, "-n")  # and looking does not hide it
    snakemake(tmp_path)
    for name in ("one", "two", "below"):
        assert (tmp_path / "results" / name).read_text() == "edited\nfirst\n"
    assert "Nothing to be done" in snakemake(tmp_path)
    assert sorted((tmp_path / "ran.log").read_text().split()) == ["other", "work", "work"]


@pytest.fixture
def record(tmp_path, monkeypatch) -> Path:
    """Of an output that took a minute to make, an hour ago, of a config that was older."""
    monkeypatch.chdir(tmp_path)
    now = time.time()
    dates = {"config.yaml": now - 7200, "output": now - 3550, "record": now - 3540}
    path = tmp_path / "records" / base64.urlsafe_b64encode(b"output").decode()
    path.parent.mkdir()
    content = {"starttime": now - 3600, "input": ["config.yaml", "gone.yaml", "records"]}
    path.write_text(json.dumps(content))
    for name in ("config.yaml", "output"):
        (tmp_path / name).write_text("")
    for name, date in dates.items():
        os.utime(path if name == "record" else tmp_path / name, (date, date))
    return path


def edit(before_the_record_s: float, record: Path) -> None:
    date = record.stat().st_mtime - before_the_record_s
    os.utime("config.yaml", (date, date))


def test_what_changed_before_or_after_the_job_stays(record):
    for seconds in (61, -1):
        edit(seconds, record)
        assert outdate(record.parent) == {}
    assert record.exists()


def test_what_changed_in_between_makes_the_output_older_than_it(record):
    edit(30, record)
    assert outdate(record.parent) == {Path("output"): ["config.yaml"]}
    assert Path("output").stat().st_mtime < Path("config.yaml").stat().st_mtime
    assert not record.exists()


def test_an_output_that_is_gone_is_let_be(record):
    edit(30, record)
    Path("output").unlink()
    assert outdate(record.parent) == {}


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"\xff", b'{"starttime": null}'])
def test_a_record_that_cannot_be_read_tells_nothing(record, content):
    record.write_bytes(content)
    (record.parent / "no base 64").write_text('{"starttime": 1, "input": []}')
    assert outdate(record.parent) == {}


def test_a_long_name_is_put_together_again(record):
    output = Path("a" * 200, "b" * 200)
    output.parent.mkdir()
    output.write_text("")
    name = base64.urlsafe_b64encode(str(output).encode()).decode()
    moved = record.parent / f"@{name[:254]}/@{name[254:508]}/{name[508:]}"
    moved.parent.mkdir(parents=True)
    edit(30, record)
    record.rename(moved)
    assert outdate(record.parent) == {output: ["config.yaml"]}
