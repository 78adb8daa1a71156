"""What was recorded of every job: dvc.lock as stages with the hashes of their files."""

import hashlib
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import yaml

from poseloop.runtime.errors import UserError
from poseloop.runtime.files import require_file

LOCK, DECLARED = Path("dvc.lock"), Path("dvc.yaml")
# The C loader reads ten thousand lines in a tenth of the time, and not every wheel has it.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


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
    """

    name: str
    command: str
    inputs: dict[str, str]
    outputs: dict[str, str]
    params: dict[str, dict]

    @property
    def rule(self) -> str:
        """The workflow's rule."""
        return self.name.split("--")[0]


@dataclass(frozen=True)
class Declared:
    """One stage as dvc.yaml wants it: its command, its inputs, and the outputs that git keeps."""

    command: str
    inputs: frozenset[str]
    kept: frozenset[str]


@dataclass(frozen=True)
class Pipeline:
    """All recorded stages.

    Attributes
    ----------
    stages : dict
        Name to `Stage`, of dvc.lock.
    declared : dict
        Name to `Declared`, of dvc.yaml.
    producer : dict
        Path to the name of the stage that makes it. A stage that dvc.yaml no longer has makes
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


def read_pipeline() -> Pipeline:
    """Read dvc.lock and dvc.yaml of the working directory.

    Raises
    ------
    UserError
        One of them is missing or not what DVC writes.
    """
    lock, declared = _load(LOCK), _load(DECLARED)
    try:
        sizes: dict[str, int] = {}
        stages = {name: _stage(name, entry, sizes) for name, entry in lock["stages"].items()}
    except (KeyError, TypeError, AttributeError) as fault:
        raise UserError(f"{LOCK}: not a lock file of DVC ({fault})") from fault
    try:
        preset = declared["vars"][0]["preset"]
        wanted = {name: _declared(entry, preset) for name, entry in declared["stages"].items()}
    except (KeyError, TypeError, AttributeError, IndexError) as fault:
        raise UserError(f"{DECLARED}: not written by scripts/gen_dvc.py ({fault})") from fault
    producer = {
        path: name for name, stage in stages.items() if name in wanted for path in stage.outputs
    }
    return Pipeline(stages, wanted, producer, sizes)


def md5_of(path: str | Path) -> str:
    """Hex digest of a file's bytes, as DVC records it."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, partial(hashlib.md5, usedforsecurity=False)).hexdigest()


def _load(path: Path) -> dict:
    try:
        return yaml.load(require_file(path, "record of DVC").read_text(), _LOADER)
    except (yaml.YAMLError, UnicodeDecodeError) as fault:
        raise UserError(f"{path}: not valid YAML ({fault})") from fault


def _stage(name: str, entry: dict, sizes: dict[str, int]) -> Stage:
    files = {key: entry.get(key, []) for key in ("deps", "outs")}
    for file in [*files["deps"], *files["outs"]]:
        sizes[file["path"]] = file["size"]
    hashes = {key: {file["path"]: file["md5"] for file in part} for key, part in files.items()}
    return Stage(name, entry["cmd"], hashes["deps"], hashes["outs"], entry.get("params", {}))


def _declared(entry: dict, preset: str) -> Declared:
    kept = [
        path
        for out in entry["outs"]
        if isinstance(out, dict)
        for path, settings in out.items()
        if not settings.get("cache", True)
    ]
    command = entry["cmd"].replace("${preset}", preset)
    return Declared(command, frozenset(entry.get("deps", [])), frozenset(kept))
