"""A few of the faults of tests/faults/run.py, on the two cheapest rules."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from workflow_clone import ROOT, Clone

RULES = {
    "fig_pose_diversity": ["--diversity", "results/smoke/poseset/diversity.json"],
    "fig_training": [
        *("--config", "config/smoke/report.yaml", "--study", "config/smoke/study.yaml", "--logs"),
        *(
            f"results/smoke/drpose/{run}/log.csv"
            for run in ("drpose/seed0", "drpose/seed1", "drpose_paper/seed0")
        ),
    ],
}


def figures(rule: str) -> list[str]:
    return [f"results/smoke/figures/{rule}.{end}" for end in ("png", "pdf")]


@pytest.fixture
def unbroken(tmp_path) -> Path:
    """A clone with the two figures, drawn from what git holds of the demo's results."""
    clone = Clone(tmp_path / "unbroken")
    for pattern in ("poseset/diversity.json", "drpose/*/seed[01]/log.csv"):
        for source in (ROOT / "results/demo").glob(pattern):
            target = clone.folder / "results/smoke" / source.relative_to(ROOT / "results/demo")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target)
    drawn = [path for rule in RULES for path in figures(rule)]
    preset = ("--cores", "1", "--config", "preset=smoke")
    clone.call("snakemake", *preset, "--allowed-rules", *RULES, "--", *drawn)
    return clone.folder


def jobs() -> list[dict]:
    """The two rules' jobs, as tests/faults/chain.py would print them."""
    return [
        {
            "rule": rule,
            "name": rule,
            "inputs": [word for word in words if not word.startswith("--")],
            "made": [],
            "outputs": figures(rule),
            "command": [f"scripts/{rule}.py", *words, "--output", *figures(rule)],
            "seconds": 0.5,
        }
        for rule, words in RULES.items()
    ]


@pytest.mark.slow
def test_one_rerun_mends_a_fault(unbroken, tmp_path):
    work = tmp_path / "work"
    work.mkdir()
    (work / "jobs.json").write_text(json.dumps(jobs()))
    kinds = ["killed", "disk full", "all killed"]
    command = [sys.executable, ROOT / "tests/faults/run.py", "--count", "5", "--by-hand", "2"]
    options = ["--unbroken", unbroken, "--work", work, "--alone", "--rules", *RULES]
    done = subprocess.run([*command, *options, "--kinds", *kinds], capture_output=True, text=True)
    logs = "".join(path.read_text() for path in work.glob("*.log"))
    assert done.returncode == 0, done.stdout + done.stderr + logs
    assert "5 faults injected, 0 ended wrong" in done.stdout
    assert re.search(r"^ +2  killed by hand$", done.stdout, re.MULTILINE)
