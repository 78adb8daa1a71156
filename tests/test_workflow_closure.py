"""Import closures: what a rule lists as code is what its script runs."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from poseloop.runtime.closure import import_closure

ROOT = Path(__file__).resolve().parents[1]
SCRIPTS = sorted(path.name for path in (ROOT / "scripts").glob("*.py"))

# Loads a script without calling its main and prints the library's files that were loaded.
RECORD = """
import json, runpy, sys
loaded = {}
for script in sys.argv[1:]:
    for name in [name for name in sys.modules if name.split(".")[0] == "poseloop"]:
        del sys.modules[name]
    runpy.run_path(f"scripts/{script}", run_name="loaded")
    loaded[script] = [
        module.__file__
        for name, module in sys.modules.items()
        if name.split(".")[0] == "poseloop"
    ]
print(json.dumps(loaded))
"""


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A small library and a script, in the working directory."""
    files = {
        "src/poseloop/__init__.py": "",
        "src/poseloop/a/__init__.py": "from poseloop.b import two",
        "src/poseloop/a/one.py": "def f():\n    from poseloop.c.deep import value",
        "src/poseloop/a/unused.py": "",
        "src/poseloop/b/__init__.py": "",
        "src/poseloop/b/two.py": "from . import three",
        "src/poseloop/b/three.py": "import numpy",
        "src/poseloop/c/__init__.py": "",
        "src/poseloop/c/deep.py": "from ..b.four import name\nvalue = 1",
        "src/poseloop/b/four.py": "name = 1",
        "scripts/x.py": "import poseloop.a.one",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_closure_follows_lazy_relative_and_package_imports(package):
    stems = [Path(path).relative_to("src/poseloop") for path in import_closure("scripts/x.py")[1:]]
    assert list(map(str, stems)) == [
        "__init__.py",
        "a/__init__.py",
        "a/one.py",
        "b/__init__.py",
        "b/four.py",
        "b/three.py",
        "b/two.py",
        "c/__init__.py",
        "c/deep.py",
    ]


def test_missing_script_is_returned_alone(package):
    assert import_closure("scripts/none.py") == ["scripts/none.py"]


@pytest.fixture(scope="module")
def loaded():
    """Library files that each script loads when it starts."""
    done = subprocess.run(
        [sys.executable, "-c", RECORD, *SCRIPTS],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": "src", "PATH": os.defpath, "MPLBACKEND": "agg"},
    )
    return json.loads(done.stdout)


@pytest.mark.parametrize("script", SCRIPTS)
def test_every_module_that_a_script_loads_is_in_its_closure(script, loaded, monkeypatch):
    monkeypatch.chdir(ROOT)
    files = {str(Path(path).resolve().relative_to(ROOT)) for path in loaded[script]}
    assert files, "the script loads nothing of the library"
    assert files <= set(import_closure(f"scripts/{script}"))


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


def test_library_imports_by_statement_only():
    """An import that no statement names would escape the static walk."""
    # The reference of config files loads every module; no rule runs it.
    reference = set(ROOT.glob("src/poseloop/report/reference/*.py"))
    paths = {*ROOT.glob("src/poseloop/**/*.py"), *ROOT.glob("scripts/*.py")}
    for path in paths - reference:
        assert not re.search(r"\b(import_module|__import__|exec)\(", path.read_text()), path


def test_library_holds_code_only():
    """A data file in the package would be no rule's input."""
    files = {path for path in ROOT.glob("src/poseloop/**/*") if path.is_file()}
    assert {path.suffix for path in files if "__pycache__" not in path.parts} == {".py"}
