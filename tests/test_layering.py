"""A room of the library imports only rooms below it."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src/poseloop"
# From the ground up.
ROOMS = (
    "runtime",
    "body",
    "motion",
    "render",
    "data",
    "multiview",
    "reward",
    "reconstruct",
    "hmr",
    "posegen",
    "evaluate",
    "report",
)


def imported_rooms(path):
    """Rooms that a module names in its import statements."""
    for node in ast.walk(ast.parse(path.read_text())):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module]
        for name in names:
            first, _, rest = name.partition(".")
            if first == "poseloop" and rest:
                yield rest.split(".")[0]


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_rooms_below_it(room):
    allowed = set(ROOMS[: ROOMS.index(room) + 1])
    modules = list(SOURCE.glob(f"{room}/**/*.py"))
    assert modules
    for path in modules:
        assert set(imported_rooms(path)) <= allowed, path


def test_every_room_has_its_place():
    assert {path.parent.name for path in SOURCE.glob("*/__init__.py")} == set(ROOMS)


def test_the_workflow_starts_without_pytorch():
    """Every call of Snakemake, on a cluster every job too, imports what the rules' files import."""
    rules = "\n".join(path.read_text() for path in ROOT.glob("workflow/**/*.smk"))
    statements = re.findall(r"^(?:from poseloop\S* )?import .+$", rules, re.MULTILINE)
    assert len(statements) > 20
    tell = "import sys; print(sorted({'torch', 'diffusers', 'matplotlib'} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", "\n".join([*statements, tell])],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(ROOT / "src"), "PATH": os.defpath},
    )
    assert done.stdout == "[]\n"
