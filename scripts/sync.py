"""Let Snakemake know what DVC restored: run after `dvc pull`, `dvc checkout` or `dvc repro`.

DVC decides by content, Snakemake by times and by its own records, which are missing or stale
for a file that DVC put there. Stages that `dvc status` finds unchanged, and that do not depend
on a changed one, are touched: Snakemake then records them as they are. Everything else is left
alone, so that `snakemake -n` and `dvc repro --dry` want the same jobs.
"""

import argparse
import json
import subprocess
from pathlib import Path

from poseloop.runtime.cli import run
from poseloop.runtime.errors import UserError
from poseloop.runtime.pipelines import MAIN, outputs_of, read_stages
from poseloop.runtime.yaml_files import read_yaml


def stale_stages(stages, changed):
    """The changed stages and all that depend on them.

    Parameters
    ----------
    stages : dict
        Stages by name.
    changed : set of str
        Names of stages whose dependencies, command or outputs changed.
    """
    producer = {path: name for name, stage in stages.items() for path in outputs_of(stage)}
    stale = set(changed)
    while True:
        below = {
            name
            for name, stage in stages.items()
            if any(producer.get(path) in stale for path in stage["deps"])
        }
        if below <= stale:
            return stale
        stale |= below


def main():
    """Touch the outputs of clean stages and list the stale ones."""
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    stages = read_stages()
    preset = read_yaml(MAIN, "pipeline")["vars"][0]["preset"]
    status = subprocess.run(["dvc", "status", "--json"], capture_output=True, text=True)
    if status.returncode:
        raise UserError(f"dvc status failed: {status.stderr}")
    # A stage of a file in a folder is called by both.
    changed = {name.rpartition(":")[2] for name in json.loads(status.stdout)}
    stale = stale_stages(stages, changed & set(stages))
    clean = [
        path
        for name, stage in stages.items()
        if name not in stale
        for path in outputs_of(stage)
        if Path(path).exists()
    ]
    if clean:
        command = ["snakemake", "--config", f"preset={preset}", "--touch", "--forceall"]
        touched = subprocess.run([*command, "--quiet", "all", "--", *clean])
        if touched.returncode:
            raise UserError("snakemake --touch failed; see its message above")
    print(f"{len(stages) - len(stale)} stages are up to date, {len(stale)} stale", *sorted(stale))


if __name__ == "__main__":
    run(main)
