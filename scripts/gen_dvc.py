"""Write DVC's files from the workflow's job graph: one stage per job.

    python scripts/gen_dvc.py                  # the default preset
    python scripts/gen_dvc.py --preset smoke   # another one
    python scripts/gen_dvc.py --check          # exit code 2 if a file differs

Each stage calls Snakemake for its own job, so that both tools run the same commands on the same
list of files. Config files are `deps`, as code and data are, so that any edit counts, as it does
for Snakemake; they are `params` too, so that `dvc params diff` shows the values that changed.
"""

import argparse
import hashlib
from pathlib import Path, PurePath

import yaml

# Private parts of Snakemake are used below, because no public one gives the inputs of a job
# whose files do not exist yet; the pinned version and a test guard them.
from snakemake.api import SnakemakeApi
from snakemake.settings.types import (
    ConfigSettings,
    DAGSettings,
    OutputSettings,
    Quietness,
    ResourceSettings,
    StorageSettings,
)

from poseloop.runtime.cli import run
from poseloop.runtime.errors import UserError
from poseloop.runtime.files import write_text
from poseloop.runtime.pipelines import MAIN, TARGETS, outputs_of
from poseloop.runtime.study import DEFAULT_PRESET, preset_of

# Kept by git, because people read them; arrays and weights go to DVC's cache.
READABLE = {".csv", ".json", ".md", ".pdf", ".png", ".tex"}
# Files of numbers to compare. Other JSON files are manifests, or hold names or a value per subject,
# which DVC cannot show.
METRICS = ("_summary.json", "/metrics.json", "/body/report.json")
# A rule with a stage for every arm of a grid: the values of its config file stand in the lock file
# with the table's stage, once.
GRID = "finetune_family"
# Columns of log.csv to plot, by the folder of the model.
CURVES = {
    "multiview": ["loss"],
    "posescore": ["loss"],
    "drpose": ["reward", "kl"],
    "adhmr/encoder": ["loss"],
    "adhmr/base": ["loss"],
    "adhmr/scorer": ["loss"],
}


def jobs_of(preset, targets):
    """The jobs of targets, as Snakemake's job objects."""
    with SnakemakeApi(OutputSettings(quiet={Quietness.ALL})) as api:
        workflow = api.workflow(
            resource_settings=ResourceSettings(cores=1),
            config_settings=ConfigSettings(config={"preset": preset}),
            storage_settings=StorageSettings(),
            snakefile=Path("Snakefile"),
        )._workflow
        workflow.dag_settings = DAGSettings(targets=set(targets))
        workflow._prepare_dag(
            forceall=True, ignore_incomplete=True, lock_warn_only=True, nolock=True
        )
        workflow._build_dag()
        return [job for job in workflow.dag.jobs if not job.rule.norun]


def stage_of(job, root):
    """Name and content of a job's stage; `root` is the repository's, seen from its file.

    The command ends in a digest of the rule's own command: DVC hashes the stage's command, and
    an edit of the rule must make the stage stale as it does the job.
    """
    rule = job.rule.name
    inputs, outputs = sorted(map(str, job.input)), sorted(map(str, job.output))
    digest = hashlib.sha256(job.rule.shellcmd.encode()).hexdigest()[:8]
    stage = {
        "wdir": root,
        "cmd": "snakemake --config preset=${preset} --force --allowed-rules "
        f"{rule} -- {' '.join(outputs)}  # {digest}",
        "deps": inputs,
        "params": [{path: None} for path in inputs if _is_config(path) and rule != GRID],
        "outs": [
            {path: {"cache": False}} if PurePath(path).suffix in READABLE else path
            for path in outputs
        ],
    }
    name = "--".join([rule, *map(str, job.wildcards)])
    return name, {key: value for key, value in stage.items() if value}


def _is_config(path):
    return PurePath(path).parts[0] == "config"


def pipelines(preset):
    """Content of every file for a preset; a stage is in the first that has it."""
    contents, told = {}, set()
    for path, targets in TARGETS.items():
        depth = len(path.parents) - 1
        root = "/".join([".."] * depth)
        stages = dict(sorted(stage_of(job, root) for job in jobs_of(preset, targets)))
        stages = {name: stage for name, stage in stages.items() if name not in told}
        told |= set(stages)
        contents[path] = {"vars": [{"preset": preset}], "stages": stages}
        if path == MAIN:
            contents[path] |= shown(preset, stages)
    return contents


def shown(preset, stages):
    """Metrics and plots of the loops."""
    files = sorted(path for stage in stages.values() for path in outputs_of(stage))
    return {
        "metrics": [path for path in files if path.endswith(METRICS)],
        "plots": [*curves(preset, files), *(path for path in files if path.endswith(".png"))],
    }


def curves(preset, files):
    """One plot per column of the training logs, with all runs of a model in it."""
    plots = []
    for model, columns in CURVES.items():
        folder = f"results/{preset}/{model}/"
        logs = [path for path in files if path.startswith(folder) and path.endswith("/log.csv")]
        plots += [
            {f"{model} {column}": {"x": "step", "y": dict.fromkeys(logs, column)}}
            for column in columns
        ]
    return plots


def main():
    """Write or check DVC's files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--preset", default=DEFAULT_PRESET, help="folder of config/")
    parser.add_argument("--check", action="store_true", help="only compare")
    options = parser.parse_args()
    preset_of({"preset": options.preset})
    for path, content in pipelines(options.preset).items():
        text = "# Generated by scripts/gen_dvc.py from the workflow; do not edit.\n"
        text += yaml.safe_dump(content, sort_keys=False, width=1000)
        if not options.check:
            write_text(path, text)
        elif not path.is_file() or path.read_text() != text:
            raise UserError(f"{path}: not up to date; run python scripts/gen_dvc.py")


if __name__ == "__main__":
    run(main)
