"""The reference in config/README.md: current, complete, and right about every kind of field."""

import runpy
import sys
from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import Field

from poseloop.report.reference.models import models_of
from poseloop.report.reference.text import reference, rows
from poseloop.runtime.config import Config
from poseloop.runtime.errors import UserError

ROOT = Path(__file__).resolve().parents[1]
FILES = sorted((ROOT / "config").glob("*/*.yaml"))


class Slow(Config):
    """The slow way."""

    kind: Literal["slow"]
    rate: Annotated[float, Field(ge=0, lt=1)] = Field(0.5, description="How slow.")


class Fast(Config):
    """The fast way."""

    kind: Literal["fast"]
    gears: tuple[int, ...] = Field((1, 2), description="In order.")


class Part(Config):
    """A part."""

    size: int = Field(4, ge=1, description="Pixels.")


class Whole(Config):
    """whole.yaml: all parts
    on two lines.

    And more.
    """

    name: str | None = Field(description="As <you> like | or not.")
    part: Part = Part(size=8)
    parts: dict[str, Part] = Field(min_length=1, description="By name.")
    ways: list[Annotated[Slow | Fast, Field(discriminator="kind")]]
    pair: tuple[float, float] = Field((0.0, 1.0), description="Ends.")
    on: bool = Field(True, description="Whether.")


EXPECTED = {
    "name": ("str or null", "required", "As &lt;you> like \\| or not."),
    "part": ("fields", "fields below", "A part."),
    # What stands in for a part that the file leaves out, not the part's own default.
    "part.size": ("int, ≥ 1", "8", "Pixels."),
    "parts": ("mapping of fields, length ≥ 1", "required", "By name."),
    "parts.<name>.size": ("int, ≥ 1", "4", "Pixels."),
    "ways": ("list of fields", "required", "The slow way."),
    "ways[] (slow).kind": ("`slow`", "required", "Chooses these fields."),
    "ways[] (slow).rate": ("float, ≥ 0, &lt; 1", "0.5", "How slow."),
    "ways[] (fast).kind": ("`fast`", "required", "Chooses these fields."),
    "ways[] (fast).gears": ("list of int", "[1, 2]", "In order."),
    "pair": ("2 values: float, float", "[0.0, 1.0]", "Ends."),
    "on": ("bool", "true", "Whether."),
}


def test_every_kind_of_field_has_its_place_type_and_default():
    found = {row.place: (row.kind, row.default, row.description) for row in rows(Whole)}
    assert found == EXPECTED


def test_a_section_says_what_the_file_is_and_who_has_it():
    text = reference({"whole.yaml": Whole}, {"whole.yaml": ["`demo`"]})
    assert text.startswith("### `whole.yaml`\n\nwhole.yaml: all parts on two lines. Own files in:")
    assert text.count("\n| `") == len(EXPECTED)


def test_the_file_decides_which_model_it_has(tmp_path):
    path = tmp_path / "scans.yaml"
    path.write_text((ROOT / "config/smoke/scans.yaml").read_text())
    assert models_of([path])["scans.yaml"].__name__ == "ViewSetsConfig"
    path.write_text("nobody: knows\n")
    with pytest.raises(UserError, match=r"scans.yaml: needs one model .*; there are: none"):
        models_of([path])


def test_two_files_of_a_name_have_one_model(tmp_path):
    for folder, name in (("a", "scans"), ("b", "report")):
        (tmp_path / folder).mkdir()
        text = (ROOT / f"config/smoke/{name}.yaml").read_text()
        (tmp_path / folder / "scans.yaml").write_text(text)
    with pytest.raises(UserError, match=r"b/scans.yaml: needs one model"):
        models_of([tmp_path / "a/scans.yaml", tmp_path / "b/scans.yaml"])


@pytest.fixture(scope="module")
def models():
    return models_of(FILES)


def test_every_field_of_every_file_is_described(models):
    assert set(models) == {path.name for path in FILES}
    bare = [
        f"{n}: {r.place}" for n, model in models.items() for r in rows(model) if not r.description
    ]
    assert bare == []


def call_script(monkeypatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["config_reference.py", *arguments])
    with pytest.raises(SystemExit) as stop:
        runpy.run_path(str(ROOT / "scripts/config_reference.py"), run_name="__main__")
        raise SystemExit(0)
    return stop.value.code


def test_the_readme_is_that_of_the_models(monkeypatch):
    monkeypatch.chdir(ROOT)
    assert call_script(monkeypatch, "--check") == 0


def test_a_readme_that_is_not_is_found_out_and_made_anew(tmp_path, monkeypatch, capsys):
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo/study.yaml").write_text((ROOT / "config/demo/study.yaml").read_text())
    readme = tmp_path / "README.md"
    readme.write_text("above\n<!-- reference:begin -->\n<!-- reference:end -->\nbelow\n")
    assert call_script(monkeypatch, "--config", str(tmp_path), "--check") == 2
    assert "README.md: not that of the models" in capsys.readouterr().err
    assert call_script(monkeypatch, "--config", str(tmp_path)) == 0
    text = readme.read_text()
    assert text.startswith("above\n") and text.endswith("below\n")
    assert "| `seeds` | list of int, length ≥ 1 | required | seeds of fine-tuning" in text
    assert call_script(monkeypatch, "--config", str(tmp_path), "--check") == 0
