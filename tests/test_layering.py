"""A room of the library imports only rooms below it."""

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[1] / "src/poseloop"
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
