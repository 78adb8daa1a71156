"""Snakemake and DVC: one job graph, one opinion of what is out of date."""

import json
import sys
from collections.abc import Collection
from pathlib import Path

import pytest
import yaml
from workflow_clone import ROOT, Clone

sys.path.insert(0, str(ROOT / "scripts"))

from sync import stale_stages

from poseloop.runtime.pipelines import TARGETS, outputs_of, read_stages

PRESET = ("--config", "preset=smoke")


def targets_of(pipelines: Collection[Path]) -> list[str]:
    """Targets of the workflow whose jobs some of DVC's files hold."""
    return [target for path in pipelines for target in TARGETS[path]]


def wanted_by_snakemake(clone: Clone, pipelines: Collection[Path]) -> set[str]:
    """Files of some of DVC's files that Snakemake would make."""
    targets = targets_of(pipelines)
    table = clone.call("snakemake", *targets, "--summary", *PRESET).stdout
    header, *rows = [line.split("\t") for line in table.splitlines() if "\t" in line]
    assert header[0] == "output_file"
    return {row[0] for row in rows if row[-1] == "update pending"}


def wanted_by_dvc(clone: Clone, pipelines: Collection[Path]) -> set[str]:
    """Files that DVC would make: outputs of changed stages and of all below them."""
    status = json.loads(clone.call("dvc", "status", "--json", *map(str, pipelines)).stdout)
    stages = read_stages(clone.folder, pipelines)
    stale = stale_stages(stages, {name.rpartition(":")[2] for name in status})
    return {path for name in stale for path in outputs_of(stages[name])}


@pytest.fixture(scope="module")
def clone(tmp_path_factory) -> Clone:
    """A clone in which both tools take files of dummy content for the smoke preset's results."""
    clone = Clone(tmp_path_factory.mktemp("clone"))
    clone.call(sys.executable, "scripts/gen_dvc.py", "--preset", "smoke")
    for stage in read_stages(clone.folder).values():
        for path in outputs_of(stage):
            file = clone.folder / path
            if not file.suffix:  # a folder
                file = file / "content.json"
            file.parent.mkdir(parents=True, exist_ok=True)
            # JSON, because DVC parses metrics.
            file.write_text(json.dumps({"path": path}))
    targets = targets_of(TARGETS)
    clone.call("snakemake", *targets, "--touch", "--forceall", "--quiet", "all", *PRESET)
    clone.call("dvc", "commit", "--force")
    return clone


def test_committed_pipeline_is_what_the_workflow_gives(tmp_path):
    Clone(tmp_path).call(sys.executable, "scripts/gen_dvc.py", "--check")


def test_drift_is_an_error_that_names_the_file(tmp_path):
    clone = Clone(tmp_path)
    for name in map(str, TARGETS):
        before = (tmp_path / name).read_text()
        (tmp_path / name).write_text("stages: {}\n")
        done = clone.call(sys.executable, "scripts/gen_dvc.py", "--check", check=False)
        assert done.returncode == 2
        assert done.stderr.startswith(f"error: {name}: not up to date")
        (tmp_path / name).write_text(before)


def test_every_job_has_one_stage_and_big_parts_have_a_file_of_their_own():
    files = [yaml.safe_load((ROOT / path).read_text())["stages"] for path in TARGETS]
    names = [name for stages in files for name in stages]
    assert len(set(names)) == len(names)
    for stages, name in zip(
        files, ["drpose_table", "posegen_table", "drpose_carving", "drpose_hacking"], strict=True
    ):
        assert name in stages


def test_nothing_is_stale_in_the_beginning(clone):
    assert wanted_by_snakemake(clone, TARGETS) == wanted_by_dvc(clone, TARGETS) == set()


def uses(stages: dict) -> dict[str, set[str]]:
    """Files that stages depend on, config among them, to the stages that do; smoke's config."""
    smoke = {f"config/demo/{path.name}" for path in (ROOT / "config/smoke").glob("*.yaml")}
    used: dict[str, set[str]] = {}
    for name, stage in stages.items():
        config = [file for entry in stage.get("params", []) for file in entry]
        for file in [*config, *stage["deps"]]:
            place = file.replace("config/demo/", "config/smoke/") if file in smoke else file
            used.setdefault(place, set()).add(name)
    return used


def batches(stages: dict, files: Collection[str]) -> list[list[str]]:
    """Files in batches within which none hides what another makes stale.

    A file joins a batch if its own stages are not stale by the batch, and the other way round.
    """
    used = uses(stages)
    found: list[list[str]] = []
    for file in files:
        for batch in found:
            others = set().union(*(used[other] for other in batch))
            if not (
                used[file] & stale_stages(stages, others)
                or any(used[other] & stale_stages(stages, used[file]) for other in batch)
            ):
                batch.append(file)
                break
        else:
            found.append([file])
    return found


def edits() -> list[tuple[Path, list[str]]]:
    """A pipeline to look at, and recorded config and a module of every kind to edit at once.

    An edit is looked at in the first pipeline that sees it alone, to save time.
    """
    modules = ["runtime/seeds.py", "body/model.py", "render/cameras.py", "report/__init__.py"]
    scripts = ["tables.py", "posegen_tables.py", "table_family.py"]
    code = [*(f"src/poseloop/{name}" for name in modules), *(f"scripts/{name}" for name in scripts)]
    told: set[str] = set()
    found = []
    for path in TARGETS:
        stages = read_stages(ROOT, [path])
        used = set(uses(stages)) - told
        told |= used
        files = [*sorted(file for file in used if file.startswith("config/")), *code]
        found += [(path, batch) for batch in batches(stages, [f for f in files if f in used])]
    return found


@pytest.mark.parametrize(("pipeline", "files"), edits())
def test_edits_make_both_want_the_same_files(clone, pipeline, files):
    before = {clone.folder / name: (clone.folder / name).read_bytes() for name in files}
    try:
        for path, content in before.items():
            path.write_bytes(content + b"\n# edited\n")
        wanted = wanted_by_snakemake(clone, [pipeline])
        assert wanted
        assert wanted == wanted_by_dvc(clone, [pipeline])
    finally:
        for path, content in before.items():
            path.write_bytes(content)


def test_stale_stages_are_the_changed_ones_and_all_below():
    stages = {
        "a": {"deps": [], "outs": ["a.npz"]},
        "b": {"deps": ["a.npz"], "outs": [{"b.csv": {"cache": False}}]},
        "c": {"deps": ["b.csv"], "outs": ["c"]},
        "d": {"deps": ["x"], "outs": ["d"]},
    }
    assert stale_stages(stages, {"b"}) == {"b", "c"}
    assert stale_stages(stages, set()) == set()
