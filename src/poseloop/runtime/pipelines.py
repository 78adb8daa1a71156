"""DVC's files: which jobs each of them holds, one stage per job.

Two loops are in dvc.yaml; PoseGen, the carving, and the other studies around DrPose, which take
hours, have files of their own, so that no lock file outgrows a megabyte.
"""

from collections.abc import Iterable
from pathlib import Path

from poseloop.runtime.refusing import refusing
from poseloop.runtime.yaml_files import read_yaml

MAIN = Path("dvc.yaml")
TARGETS = {
    MAIN: ("drpose", "adhmr", "assets_figures"),
    Path("workflow/posegen/dvc.yaml"): ("posegen",),
    Path("workflow/carving/dvc.yaml"): ("carving",),
    Path("workflow/depth/dvc.yaml"): ("drpose_depth",),
}
"""A file of stages to the targets of the workflow whose jobs it holds. None is a job itself: of
such a target Snakemake misses the benchmark file. Stages are in the first file that has them."""


def lock_of(pipeline: Path) -> Path:
    """The file in which DVC records the hashes of a pipeline's files."""
    return pipeline.with_suffix(".lock")


def address(pipeline: Path, stage: str) -> str:
    """What DVC calls a stage on its command line, from the repository's root."""
    return stage if pipeline == MAIN else f"{pipeline}:{stage}"


def recorded_pipelines(root: Path = Path()) -> list[Path]:
    """Files of stages of a checkout that have a record; the first must have one."""
    return [path for path in TARGETS if path == MAIN or (root / lock_of(path)).is_file()]


def read_stages(root: Path = Path(), pipelines: Iterable[Path] = tuple(TARGETS)) -> dict[str, dict]:
    """Stages of some of DVC's files, by default of all, by name.

    Raises
    ------
    UserError
        A file is missing or of another kind.
    """
    stages: dict[str, dict] = {}
    for path in pipelines:
        content = read_yaml(root / path, "pipeline")
        with refusing(root / path, "not a file of DVC's stages"):
            stages |= content["stages"]
    return stages


def outputs_of(stage: dict) -> list[str]:
    """Paths of a stage's outs, with or without settings."""
    return [next(iter(out)) if isinstance(out, dict) else out for out in stage["outs"]]
