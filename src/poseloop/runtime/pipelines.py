"""DVC's files: which jobs each of them holds, one stage per job.

The loops are in dvc.yaml, where `dvc repro` looks; studies around them, which take hours, in files
of their own, so that no lock file outgrows a megabyte.
"""

from pathlib import Path

MAIN = Path("dvc.yaml")
TARGETS = {MAIN: "recorded", Path("workflow/depth/dvc.yaml"): "drpose_depth"}
"""A file of stages to the target of the workflow whose jobs it holds. Stages are in the first
file that has them."""


def lock_of(pipeline: Path) -> Path:
    """The file in which DVC records the hashes of a pipeline's files."""
    return pipeline.with_suffix(".lock")


def address(pipeline: Path, stage: str) -> str:
    """What DVC calls a stage on its command line, from the repository's root."""
    return stage if pipeline == MAIN else f"{pipeline}:{stage}"
