"""Two runs side by side: cells, verdicts, and what differs in what made them."""

import json
import re
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml
from tiny_pipeline import METRICS, REPORT, TABLE, TRAINING, call, record, write, write_repository

from poseloop.__main__ import main
from poseloop.report.comparison.causes import PRESENT, RECORDED, UNKNOWN, causes_of, differences
from poseloop.report.comparison.cells import Pair, Reading, compare
from poseloop.report.comparison.text import cause_lines, cell_lines, frame_of
from poseloop.report.provenance.machine import write_machine
from poseloop.report.provenance.pipeline import md5_of
from poseloop.runtime.errors import UserError

HEAD = "benchmark,metric,better,method,mean,baseline,relative_gain,ci_low,ci_high\n"
BASE = "mixamo,chamfer,lower,base,11.0,,,,\n"
GAIN = "mixamo,chamfer,lower,DrPose,10.0,base,0.0909,0.02,0.15\n"
NO_GAIN = "mixamo,chamfer,lower,DrPose,10.5,base,0.0455,0.0,0.09\n"
LOSS = "mixamo,chamfer,lower,DrPose,12.0,base,-0.0909,-0.15,-0.02\n"
PSNR = "mixamo,psnr,higher,DrPose,{},base,0.01,0.002,0.02\n"


def run_with(folder: Path, **tables: str) -> Path:
    for name, text in tables.items():
        write(folder / f"tables/{name}.csv", text)
    return folder


@pytest.fixture
def repositories(tmp_path):
    """Two recorded repositories with the same table."""
    for name in ("a", "b"):
        write_repository(tmp_path / name)
    return tmp_path / "a", tmp_path / "b"


def causes(*repositories: Path) -> list:
    return [causes_of(folder / "results/demo", ["drpose_geometry"]) for folder in repositories]


def told(*repositories: Path) -> list[tuple[str, str, str, str]]:
    found = differences(*causes(*repositories))
    return [(entry.kind, entry.name, entry.a, entry.b) for entry in found]


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


@pytest.mark.parametrize(
    ("a", "b", "verdicts", "flips"),
    [
        (GAIN, GAIN, ("gain", "gain"), False),
        (GAIN, NO_GAIN, ("gain", "no gain"), True),
        (NO_GAIN, LOSS, ("no gain", "loss"), True),
    ],
)
def test_a_verdict_is_read_off_the_interval_and_one_that_touches_zero_is_no_gain(
    tmp_path, a, b, verdicts, flips
):
    a = run_with(tmp_path / "a", main=HEAD + BASE + a)
    b = run_with(tmp_path / "b", main=HEAD + BASE + b)
    [pair] = [pair for pair in compare(a, b).pairs if pair.keys["method"] == "DrPose"]
    assert (pair.a.verdict, pair.b.verdict) == verdicts
    assert pair.flips == flips and pair.equal != flips
    assert pair.change == pytest.approx(pair.b.mean - pair.a.mean)


def test_what_flips_comes_first_and_what_is_equal_is_left_out(tmp_path):
    a = run_with(tmp_path / "a", main=HEAD + BASE + PSNR.format("16.0") + GAIN)
    b = run_with(tmp_path / "b", main=HEAD + BASE + PSNR.format("16.5") + NO_GAIN)
    comparison = compare(a, b)
    lines = list(cell_lines(comparison))
    assert lines[3] == "main: 2 of 3 cells differ, 1 verdict(s) flip"
    assert [re.split(r"  +", line) for line in lines[5:]] == [
        ["! mixamo", "chamfer", "DrPose", "base", "10", "10.5", "+0.5", "gain", "no gain"],
        ["", "mixamo", "psnr", "DrPose", "base", "16", "16.5", "+0.5", "gain", "gain"],
    ]
    assert len(list(cell_lines(comparison, equal=True))) == len(lines) + 1
    frame = frame_of(comparison)
    assert frame["flips"].tolist() == [True, False]
    assert frame["mean_b"].tolist() == ["10.5", "16.5"]


def test_equal_numbers_printed_otherwise_are_equal(tmp_path):
    a = run_with(tmp_path / "a", main=HEAD + BASE)
    b = run_with(tmp_path / "b", main=HEAD + BASE.replace("11.0", "11"))
    assert all(pair.equal for pair in compare(a, b).pairs)


def test_rows_and_tables_of_one_run_alone_are_named(tmp_path):
    a = run_with(tmp_path / "a", main=HEAD + BASE, old=HEAD + BASE, cost="arm,seconds\nx,1\n")
    b = run_with(tmp_path / "b", main=HEAD + BASE + GAIN, new=HEAD, cost="arm,seconds\nx,2\n")
    comparison = compare(a, b)
    assert comparison.tables == ["main"]
    assert comparison.alone == {"new": "B", "old": "A"}
    assert comparison.other == ["cost"]
    lines = list(cell_lines(comparison))
    assert any(re.search(r"DrPose +base +10 +only in B +only in B$", line) for line in lines)
    assert lines[-3:] == [
        "new: only in B",
        "old: only in A",
        "cost: not compared, it is no tidy table",
    ]


def test_tables_and_metrics_can_be_chosen(tmp_path):
    text = HEAD + BASE + PSNR.format("16.0")
    a = run_with(tmp_path / "a", main=text, more=text)
    b = run_with(tmp_path / "b", main=text, more=text)
    pairs = compare(a, b, ["more"], ["psnr"]).pairs
    assert [(pair.table, pair.keys["metric"]) for pair in pairs] == [("more", "psnr")]


@pytest.mark.parametrize(
    ("b", "options", "message"),
    [
        (None, {}, r"b: folder of results not found"),
        ({}, {}, r"b/tables: no tables there; name a folder such as results/demo"),
        ({"main": HEAD}, {"tables": ["mian"]}, r"mian.csv: table not found; there are: main"),
        ({"main": HEAD}, {"metrics": ["psnrr"]}, r"no table has psnrr; there are: chamfer"),
        ({"main": "arm,mean\n"}, {}, r"b/tables/main.csv: not a tidy .*: no column benchmark, met"),
        ({"main": HEAD + GAIN + LOSS}, {}, r"two rows for mixamo chamfer DrPose base"),
        ({"main": HEAD + GAIN.replace("10.0", "ten")}, {}, r"'ten' stands where a number belongs"),
        ({"main": ""}, {}, r"main.csv: not a CSV table"),
    ],
)
def test_what_cannot_be_compared_is_said_with_the_file(tmp_path, b, options, message):
    a = run_with(tmp_path / "a", main=HEAD + BASE)
    if b is not None:
        (tmp_path / "b").mkdir()
        run_with(tmp_path / "b", **b)
    with pytest.raises(UserError, match=message):
        compare(a, tmp_path / "b", **options)


def test_runs_of_one_cause_differ_in_nothing(repositories):
    assert [cause.known for cause in causes(*repositories)] == [RECORDED, RECORDED]
    assert told(*repositories) == []
    comparison = compare(*(folder / "results/demo" for folder in repositories))
    assert len(comparison.pairs) == 2 and all(pair.equal for pair in comparison.pairs)


def test_every_cause_that_differs_is_named_with_both_values(repositories, monkeypatch):
    a, b = repositories
    edit(b / TRAINING, "rate: 0.1", "rate: 0.2")
    edit(b / REPORT, "seed: 7", "seed: 8")
    edit(b / "src/poseloop/judge.py", "1", "2")
    record(b)
    for folder, cores in ((a, "2"), (b, "4")):
        monkeypatch.chdir(folder)
        path = write_machine("demo")
        write(path, json.dumps(json.loads(path.read_text()) | {"cores": cores}))
    judge = "src/poseloop/judge.py"
    assert told(a, b) == [
        ("config", "drpose.yaml: variants.drpose.rate", "0.1", "0.2"),
        ("seeds", "report.yaml: seed", "7", "8"),
        ("code", judge, md5_of(a / judge), md5_of(b / judge)),
        ("machine", "cores", "2", "4"),
    ]
    lines = list(cause_lines(*causes(a, b), differences(*causes(a, b))))
    assert "  drpose.yaml: variants.drpose.rate: 0.1 -> 0.2" in lines
    assert f"  {judge}: {md5_of(a / judge)[:8]} -> {md5_of(b / judge)[:8]}" in lines


def test_a_run_that_was_not_recorded_is_known_by_its_files_as_they_are(repositories):
    """Only what the other's record knows is compared: the rest made neither table."""
    a, b = repositories
    write(b / METRICS.format("drpose"), json.dumps({"benchmarks": {"mixamo": {"chamfer": [5.0]}}}))
    write(b / "src/poseloop/unrelated.py", "")
    write(b / "config/demo/other.yaml", "x: 1\n")
    edit(b / TRAINING, "steps: 300", "steps: 400")
    metrics = [METRICS.format(method) for method in ("base", "drpose")]
    call(b, "python", "scripts/tables.py", "--metrics", *metrics, "--output", TABLE)
    assert [cause.known for cause in causes(a, b)] == [RECORDED, PRESENT]
    assert told(a, b) == [("config", "drpose.yaml: steps", "300", "400")]
    assert told(b, a) == [("config", "drpose.yaml: steps", "400", "300")]


def test_a_preset_has_the_defaults_files_where_it_has_none_of_its_own(repositories):
    a, _ = repositories
    call(a, "cp", "-r", "results/demo", "results/mine")
    write(a / "config/mine/drpose.yaml", "steps: 7\nvariants: {drpose: {seed: 3, rate: 0.1}}\n")
    mine = causes_of(a / "results/mine", ["drpose_geometry"])
    assert mine.config["drpose"]["steps"] == 7 and mine.config["report"] == {"seed": 7}
    [found] = differences(causes(a)[0], mine)
    assert (found.name, found.a, found.b) == ("drpose.yaml: steps", "300", "7")


def test_of_tables_outside_a_checkout_only_the_machine_is_known(repositories, tmp_path):
    call(repositories[0], "cp", "-r", "results/demo", str(tmp_path / "alone"))
    found = causes_of(tmp_path / "alone", ["drpose_geometry"])
    assert found.known == UNKNOWN
    lines = list(cause_lines(causes(repositories[0])[0], found, []))
    assert lines[1] == f"what made B: {UNKNOWN}"
    assert lines[-1] == "nothing that is known of both differs"


def test_a_damaged_record_is_named_with_its_file(repositories):
    write(repositories[1] / "results/demo/machine.json", "[]")
    with pytest.raises(UserError, match=r"b/results/demo/machine.json: not what"):
        causes(*repositories)
    write(repositories[1] / "results/demo/machine.json", "{}")
    write(repositories[1] / "dvc.lock", "a: [")
    with pytest.raises(UserError, match=r"b/dvc.lock: not valid YAML"):
        causes(*repositories)


def test_the_command_prints_both_and_writes_the_cells(repositories, monkeypatch, capsys, tmp_path):
    a, b = repositories
    edit(b / TABLE, "10.0", "9.0")
    edit(b / TRAINING, "300", "400")
    monkeypatch.chdir(a)
    other, csv = str(b / "results/demo"), tmp_path / "cells.csv"
    options = ["compare", "results/demo", other, "--csv", str(csv), "--metric", "chamfer"]
    monkeypatch.setattr(sys, "argv", ["poseloop", *options])
    main()
    printed = capsys.readouterr().out
    assert "drpose_geometry: 1 of 2 cells differ, 0 verdict(s) flip" in printed
    assert "  drpose.yaml: steps: 300 -> 400" in printed
    [row] = pd.read_csv(csv).to_dict("records")
    assert (row["method"], row["mean_a"], row["mean_b"], row["change"]) == ("DrPose", 10, 9, -1)


def test_a_row_of_one_run_flips_nothing():
    reading = Reading(1.0, "gain", (1.0,))
    assert Pair("t", {}, "", reading, None).alone == "A"
    assert Pair("t", {}, "", None, reading).alone == "B"
    assert not Pair("t", {}, "", None, reading).flips


def test_a_yaml_file_without_a_mapping_is_no_config(repositories):
    a, b = repositories
    edit(b / TABLE, "10.0", "9.0")
    write(b / "config/demo/drpose.yaml", yaml.safe_dump([1]))
    assert ("config", "drpose.yaml: steps", "300", "–") in told(a, b)
