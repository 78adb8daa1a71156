"""A table made again from its metrics files, by the script that made it, away from the results."""

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

import pandas as pd

from poseloop.report.provenance.cells import read_cells
from poseloop.report.provenance.pipeline import Stage
from poseloop.runtime.errors import UserError

_TABLE = "{table}"
_FOLDER = "."


class NotRecomputed(Exception):
    """A table cannot be made here, which says nothing against it."""


@dataclass(frozen=True)
class Recipe:
    """How a rule calls its script.

    Attributes
    ----------
    script : str
        Its name in scripts/.
    inputs : dict
        Option to the pattern of the paths it takes, among the recorded inputs.
    outputs : dict
        Option to a path in a folder of its own; `{table}` stands for the table's name, `.` for
        the folder.
    """

    script: str
    inputs: dict[str, str]
    outputs: dict[str, list[str]]


RECIPES = {
    "drpose_table": Recipe(
        "tables",
        {
            "--config": "config/*/report.yaml",
            "--study": "config/*/study.yaml",
            "--metrics": "*/metrics/*/seed*.json",
            "--diversity": "*/metrics/*/diversity.json",
            "--truth": "*/metrics/truth.json",
        },
        {"--output": [_TABLE], "--summary": ["summary.json"]},
    ),
    "adhmr_tables": Recipe(
        "adhmr_tables",
        {
            "--config": "config/*/adhmr_report.yaml",
            "--study": "config/*/adhmr_study.yaml",
            "--cleaning-config": "config/*/hmr_cleaning.yaml",
            "--values": "*/values/*/seed*.json",
            "--ranking": "*/scorer/ranking.json",
            "--cleaning": "*/cleaning/*/seed*.json",
        },
        {"--output": [_FOLDER]},
    ),
    "posegen_table": Recipe(
        "posegen_tables",
        {
            "--config": "config/*/posegen_report.yaml",
            "--study": "config/*/posegen.yaml",
            "--errors": "*/posegen/errors/*.npz",
            "--nerf": "*/posegen/*/values.json",
        },
        {"--output": ["posegen_main.csv", "posegen_ablations.csv", "posegen_nerf.csv"]},
    ),
    "table_family": Recipe(
        "table_family",
        {
            "--config": "config/*/report.yaml",
            "--study": "config/*/study.yaml",
            # family.yaml or ablations.yaml, which are the third of its config files.
            "--family": "config/*/[!rs]*.yaml",
            "--metrics": "*/metrics/*/seed*.json",
        },
        {"--output": [_TABLE]},
    ),
    "drpose_hacking": Recipe(
        "report_hacking",
        {
            "--config": "config/*/hacking.yaml",
            "--report": "config/*/report.yaml",
            "--family": "config/*/family.yaml",
            "--runs": "*/hacking/*/seed*.csv",
        },
        {"--table": [_TABLE], "--figure": ["figure.png"]},
    ),
    "drpose_carving": Recipe(
        "table_carving",
        {
            "--config": "config/*/report.yaml",
            "--study": "config/*/study.yaml",
            "--metrics": "*/carving/*.json",
        },
        {"--output": [_TABLE]},
    ),
}


def recompute(stage: Stage, table: Path) -> pd.DataFrame:
    """A table as text, made by the stage's script from the files that are here now.

    Raises
    ------
    NotRecomputed
        An input is absent, or no recipe is known for the rule.
    UserError
        The script fails on these files; its last line is quoted.
    """
    if stage.rule not in RECIPES:
        raise NotRecomputed(f"no recipe for rule {stage.rule}")
    absent = [path for path in stage.inputs if not Path(path).is_file()]
    if absent:
        raise NotRecomputed(f"{', '.join(absent)} absent")
    with tempfile.TemporaryDirectory() as folder:
        command = command_of(RECIPES[stage.rule], list(stage.inputs), table.name, folder)
        # The library of this checkout, whatever copy of it is installed.
        environment = os.environ | {"PYTHONPATH": "src", "OMP_NUM_THREADS": "1"}
        done = subprocess.run(command, capture_output=True, text=True, env=environment)
        if done.returncode:
            lines = done.stderr.strip().splitlines() or ["no message"]
            raise UserError(lines[-1].removeprefix("error: "))
        return read_cells(Path(folder) / table.name)


def command_of(recipe: Recipe, inputs: list[str], table: str, folder: str) -> list[str]:
    """The script's command line, with outputs in `folder`."""
    command = [sys.executable, f"scripts/{recipe.script}.py"]
    for option, pattern in recipe.inputs.items():
        command += [option, *(path for path in inputs if fnmatch(path, pattern))]
    for option, names in recipe.outputs.items():
        filled = [name.format(table=table) for name in names]
        command += [option, *(str(Path(folder) / name) for name in filled)]
    return command
