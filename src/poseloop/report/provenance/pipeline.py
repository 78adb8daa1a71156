"""What was recorded of every job: DVC's lock files as stages with the hashes of their files."""

import hashlib
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from poseloop.runtime.errors import UserError
from poseloop.runtime.pipelines import MAIN, address, lock_of, recorded_pipelines
from poseloop.runtime.yaml_files import read_yaml

LOCK = lock_of(MAIN)


@dataclass(frozen=True)
class Stage:
    """One recorded job.

    Attributes
    ----------
    name : str
        `rule--wildcard--wildcard`.
    command : str
        The command that ran.
    inputs, outputs : dict
        Path to md5.
    params : dict
        Config file to its recorded values.
    lock : Path
        The file that has the record.
    """

    name: str
    command: str
    inputs: dict[str, str]
    outputs: dict[str, str]
    params: dict[str, dict]
    lock: Path

    @property
    def rule(self) -> str:
        """The workflow's rule."""
        return self.name.split("--")[0]


@dataclass(frozen=True)
class Declared:
    """One stage as its file wants it: its command, its inputs, and the outputs that git keeps."""

    file: Path
    command: str
    inputs: frozenset[str]
    kept: frozenset[str]


@dataclass(frozen=True)
class Pipeline:
    """All recorded stages.

    Attributes
    ----------
    stages : dict
        Name to `Stage`, of the lock files.
    declared : dict
        Name to `Declared`, of the files that are locked.
    producer : dict
        Path to the name of the stage that makes it. A stage that is no longer declared makes
        nothing.
    sizes : dict
        Path to size in bytes.
    """

    stages: dict[str, Stage]
    declared: dict[str, Declared]
    producer: dict[str, str]
    sizes: dict[str, int]

    def is_kept(self, path: str) -> bool:
        """Whether git keeps a file, so that its absence is a fault and not a matter of pulling."""
        made_by = self.producer.get(path)
        if made_by is None:
            return Path(path).parts[0] in ("config", "scripts", "src")
        return path in self.declared[made_by].kept

    def address(self, name: str) -> str:
        """What DVC calls a stage on its command line."""
        return address(self.declared[name].file, name)


def read_pipeline(root: Path = Path()) -> Pipeline:
    """Read DVC's files of a checkout, by default the working directory.

    Only the pipeline of the loops must be there.

    Raises
    ------
    UserError
        It is missing, or a file is not what DVC or scripts/gen_dvc.py writes.
    """
    stages: dict[str, Stage] = {}
    wanted: dict[str, Declared] = {}
    sizes: dict[str, int] = {}
    for file in recorded_pipelines(root):
        _read_file(root, file, stages, wanted, sizes)
    producer = {
        path: name for name, stage in stages.items() if name in wanted for path in stage.outputs
    }
    return Pipeline(stages, wanted, producer, sizes)


def _read_file(
    root: Path,
    file: Path,
    stages: dict[str, Stage],
    wanted: dict[str, Declared],
    sizes: dict[str, int],
) -> None:
    """Add one pipeline's stages, what is declared of them, and the sizes of their files."""
    lock = lock_of(file)
    locked, declared = (read_yaml(root / path, "record of DVC") for path in (lock, file))
    try:
        for name, entry in locked["stages"].items():
            stages[name] = _stage(name, entry, lock, sizes)
    except (KeyError, TypeError, AttributeError) as fault:
        raise UserError(f"{lock}: not a lock file of DVC ({fault})") from fault
    try:
        preset = declared["vars"][0]["preset"]
        for name, entry in declared["stages"].items():
            wanted[name] = _declared(entry, file, preset)
    except (KeyError, TypeError, AttributeError, IndexError) as fault:
        raise UserError(f"{file}: not written by scripts/gen_dvc.py ({fault})") from fault


def md5_of(path: str | Path) -> str:
    """Hex digest of a file's bytes, as DVC records it."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, partial(hashlib.md5, usedforsecurity=False)).hexdigest()


def _stage(name: str, entry: dict, lock: Path, sizes: dict[str, int]) -> Stage:
    files = {key: entry.get(key, []) for key in ("deps", "outs")}
    for file in [*files["deps"], *files["outs"]]:
        sizes[file["path"]] = file["size"]
    hashes = {key: {file["path"]: file["md5"] for file in part} for key, part in files.items()}
    params = entry.get("params", {})
    return Stage(name, entry["cmd"], hashes["deps"], hashes["outs"], params, lock)


def _declared(entry: dict, file: Path, preset: str) -> Declared:
    kept = [
        path
        for out in entry["outs"]
        if isinstance(out, dict)
        for path, settings in out.items()
        if not settings.get("cache", True)
    ]
    command = entry["cmd"].replace("${preset}", preset)
    return Declared(file, command, frozenset(entry.get("deps", [])), frozenset(kept))
