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

from poseloop.runtime.pipelines import MAIN, TARGETS, outputs_of, read_stages

PRESET = ("--config", "preset=smoke")


def wanted_by_snakemake(clone: Clone, pipelines: Collection[Path]) -> set[str]:
    """Files of some of DVC's files that Snakemake would make."""
    targets = [TARGETS[path] for path in pipelines]
    table = clone.call("snakemake", *targets, "--summary", *PRESET).stdout
    header, *rows = [line.split("\t") for line in table.splitlines() if "\t" in line]
    assert header[0] == "output_file"
    return {row[0] for row in rows if row[-1] == "update pending"}


def wanted_by_dvc(clone: Clone, pipelines: Collection[Path]) -> set[str]:
    """Files that DVC would make: outputs of changed stages and of all below them."""
    status = json.loads(clone.call("dvc", "status", "--json").stdout)
    stages, changed = read_stages(clone.folder), {name.rpartition(":")[2] for name in status}
    asked = read_stages(clone.folder, pipelines)
    stale = stale_stages(stages, changed) & set(asked)
    return {path for name in stale for path in outputs_of(asked[name])}


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
    clone.call("snakemake", *TARGETS.values(), "--touch", "--forceall", "--quiet", "all", *PRESET)
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


def test_every_job_has_one_stage_and_the_loops_have_a_file_of_their_own():
    files = [yaml.safe_load((ROOT / path).read_text())["stages"] for path in TARGETS]
    names = [name for stages in files for name in stages]
    assert len(set(names)) == len(names)
    assert "drpose_table" in files[0] and "drpose_carving" in files[1]


def test_nothing_is_stale_in_the_beginning(clone):
    assert wanted_by_snakemake(clone, TARGETS) == wanted_by_dvc(clone, TARGETS) == set()


def configs(stages: dict) -> set[str]:
    """Config files that stages use, at smoke size."""
    smoke = {path.name for path in (ROOT / "config/smoke").glob("*.yaml")}
    used = {
        Path(file).name
        for stage in stages.values()
        for entry in stage.get("params", [])
        for file in entry
    }
    return {f"config/{'smoke' if name in smoke else 'demo'}/{name}" for name in used}


def mutated() -> list[tuple[str, Collection[Path]]]:
    """Config files that are recorded and a module of every kind, and the pipelines to look at.

    An edit that the loops see is looked at in their pipeline alone, to save time.
    """
    loops = configs(read_stages(ROOT, [MAIN]))
    deeper = configs(read_stages(ROOT)) - loops
    modules = ["runtime/seeds.py", "body/model.py", "render/cameras.py", "report/__init__.py"]
    code = [*(f"src/poseloop/{name}" for name in modules), "scripts/tables.py"]
    return [
        *((name, [MAIN]) for name in [*sorted(loops), *code]),
        *((name, list(TARGETS)) for name in [*sorted(deeper), "scripts/table_family.py"]),
    ]


@pytest.mark.parametrize(("name", "pipelines"), mutated())
def test_an_edit_makes_both_want_the_same_files(clone, name, pipelines):
    path = clone.folder / name
    before = path.read_bytes()
    try:
        path.write_bytes(before + b"\n# edited\n")
        wanted = wanted_by_snakemake(clone, pipelines)
        assert wanted
        assert wanted == wanted_by_dvc(clone, pipelines)
    finally:
        path.write_bytes(before)


def test_stale_stages_are_the_changed_ones_and_all_below():
    stages = {
        "a": {"deps": [], "outs": ["a.npz"]},
        "b": {"deps": ["a.npz"], "outs": [{"b.csv": {"cache": False}}]},
        "c": {"deps": ["b.csv"], "outs": ["c"]},
        "d": {"deps": ["x"], "outs": ["d"]},
    }
    assert stale_stages(stages, {"b"}) == {"b", "c"}
    assert stale_stages(stages, set()) == set()
