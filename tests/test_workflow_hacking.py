"""The target `drpose_hacking`: what it plans, and that no benchmark has a part in it."""

import re

import pytest
from workflow_clone import Clone, planned_jobs

COMMAND = ("snakemake", "drpose_hacking", "--config", "preset=smoke", "-n", "-p")


@pytest.fixture(scope="module")
def clone(tmp_path_factory) -> Clone:
    """A clone without results."""
    return Clone(tmp_path_factory.mktemp("clone"))


@pytest.fixture(scope="module")
def plan(clone) -> str:
    """What a dry run prints: the jobs and their commands."""
    return clone.call(*COMMAND).stdout


def test_hacking_is_measured_without_any_benchmark(plan):
    jobs = planned_jobs(plan)
    assert jobs["measure_hacking"] == 2
    assert {"drpose_hacking", "train_posescore_held_out", "finetune_family"} <= set(jobs)
    assert not {"render_benchmark", "generate", "generate_family", "evaluate"} & set(jobs)
    assert "results/smoke/benchmarks/" not in plan


def test_nothing_learns_from_the_held_out_reward(plan):
    commands = re.findall(r"python .*scripts/(\w+)\.py (.*)", plan)
    named = {script for script, options in commands if "posescore_held_out/model" in options}
    assert named == {"train_posescore", "measure_hacking"}
    trained = [options for script, options in commands if script == "finetune_family"]
    assert len(trained) == 2
    assert all("--posescore results/smoke/posescore/model" in options for options in trained)


def test_a_benchmark_among_the_sets_is_one_line_and_exit_code_2(clone):
    path = clone.folder / "config/smoke/hacking.yaml"
    before = path.read_text()
    path.write_text(before.replace("[val_ordinary, val_dynamic]", "[val_ordinary, mixamo_like]"))
    done = clone.call(*COMMAND, check=False)
    path.write_text(before)
    assert done.returncode == 2
    [line] = [line for line in done.stderr.splitlines() if line.startswith("error")]
    assert line.startswith("error: config/smoke/hacking.yaml: sets: mixamo_like not among val_")
    assert "Traceback" not in done.stderr
