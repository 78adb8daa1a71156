"""What made the tables of a run: config, code, files of the user's own, machine."""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from poseloop.report.provenance.chain import flatten
from poseloop.report.provenance.pipeline import LOCK, Pipeline, Stage, md5_of, read_pipeline
from poseloop.runtime.errors import UserError
from poseloop.runtime.files import read_json
from poseloop.runtime.study import DEFAULT_PRESET
from poseloop.runtime.yaml_files import read_yaml

RECORDED = f"as {LOCK} recorded it"
PRESENT = f"as its files are now: {LOCK} has no record of these tables"
UNKNOWN = "not known: the folder is not results/<preset> of a checkout of poseloop"
# What a run has that does not have a field, a file or a package.
ABSENT = "–"
# In the order in which differences are told.
KINDS = ("config", "seeds", "code", "files of your own", "machine")
# Whose values are md5.
HASHED = ("code", "files of your own")
_CODE = ("scripts", "src")
_SEEDS = ("seed", "seeds")


@dataclass(frozen=True)
class Causes:
    """What stands behind a run's tables.

    Attributes
    ----------
    known : str
        Where the rest is from: `RECORDED`, `PRESENT` or `UNKNOWN`.
    config : dict
        Concern, as `drpose`, to its values; presets name their files alike.
    code, assets : dict
        Path to md5: modules and scripts, and files that config names.
    machine : dict
        Name to value; empty where it is not recorded.
    """

    known: str
    config: dict[str, dict]
    code: dict[str, str]
    assets: dict[str, str]
    machine: dict[str, str]


@dataclass(frozen=True)
class Difference:
    """One cause in which two runs differ: its kind, its name, and what each run has."""

    kind: str
    name: str
    a: str
    b: str


def causes_of(folder: Path, tables: Sequence[str]) -> Causes:
    """What made the tables of a folder of results.

    The record counts where it is of these very tables. Else, as after a run that was not recorded,
    config and code are read as they are now; what they were when the tables were made is then
    nobody's knowledge.

    Parameters
    ----------
    folder : Path
        `<checkout>/results/<preset>`; elsewhere only the machine is known.
    tables : sequence of str
        Names.

    Raises
    ------
    UserError
        A record, a config file or machine.json is damaged.
    """
    root, preset = folder.resolve().parents[1], folder.resolve().name
    inside = folder.resolve().parent.name == "results" and (root / "config").is_dir()
    machine = _machine(folder)
    if not inside:
        return Causes(UNKNOWN, {}, {}, {}, machine)
    if (root / LOCK).is_file():
        pipeline = read_pipeline(root)
        paths = [f"results/{preset}/tables/{name}.csv" for name in tables]
        if all(_is_recorded(root, path, pipeline) for path in paths):
            return _recorded(pipeline, paths, machine)
    return _present(root, preset, machine)


def differences(a: Causes, b: Causes) -> list[Difference]:
    """All that differs, by kind.

    A record holds what the tables depend on and no more: where one run is recorded, what only the
    present files of the other have is left out.
    """
    if UNKNOWN in (a.known, b.known):
        pairs = []
    else:
        pairs = [
            (part, _within(part, values_a, a, b), _within(part, values_b, b, a))
            for part, values_a, values_b in (
                ("config", _fields(a), _fields(b)),
                ("code", a.code, b.code),
            )
        ]
    if a.known == b.known == RECORDED:
        pairs.append(("files of your own", a.assets, b.assets))
    if a.machine and b.machine:
        pairs.append(("machine", a.machine, b.machine))
    found = [
        Difference(_kind(part, name), name, *values)
        for part, had, has in pairs
        for name, *values in _unequal(had, has)
    ]
    return sorted(found, key=lambda difference: KINDS.index(difference.kind))


def _machine(folder: Path) -> dict[str, str]:
    path = folder / "machine.json"
    if not path.is_file():
        return {}
    told = read_json(path)
    if not isinstance(told, dict):
        raise UserError(f"{path}: not what `python -m poseloop machine` writes")
    # Beside the machine stand the hashes of the lock files.
    return {name: str(value) for name, value in told.items() if Path(name).name != LOCK.name}


def _is_recorded(root: Path, table: str, pipeline: Pipeline) -> bool:
    made_by = pipeline.producer.get(table)
    return made_by is not None and pipeline.stages[made_by].outputs[table] == md5_of(root / table)


def _recorded(pipeline: Pipeline, tables: list[str], machine: dict[str, str]) -> Causes:
    config, code, assets = {}, {}, {}
    for stage in _behind(pipeline, tables):
        config |= {Path(path).stem: values for path, values in stage.params.items()}
        for path, md5 in stage.inputs.items():
            first = Path(path).parts[0]
            if first in _CODE:
                code[path] = md5
            elif first not in ("config", "results"):
                assets[path] = md5
    return Causes(RECORDED, config, code, assets, machine)


def _behind(pipeline: Pipeline, paths: list[str]) -> Iterator[Stage]:
    """Every stage that the files depend on, once."""
    seen, waiting = set(), deque(paths)
    while waiting:
        name = pipeline.producer.get(waiting.popleft())
        if name is None or name in seen:
            continue
        seen.add(name)
        yield pipeline.stages[name]
        waiting += pipeline.stages[name].inputs


def _present(root: Path, preset: str, machine: dict[str, str]) -> Causes:
    folders = [root / "config" / name for name in (DEFAULT_PRESET, preset)]
    paths = {path.stem: path for folder in folders for path in sorted(folder.glob("*.yaml"))}
    code = {
        path.relative_to(root).as_posix(): md5_of(path)
        for top in _CODE
        for path in sorted((root / top).rglob("*.py"))
    }
    return Causes(PRESENT, {name: _load(path) for name, path in paths.items()}, code, {}, machine)


def _load(path: Path) -> dict:
    content = read_yaml(path, "config file")
    return content if isinstance(content, dict) else {}


def _fields(causes: Causes) -> dict[str, str]:
    """`file: field` to value as text."""
    return {
        f"{concern}.yaml: {field}": str(value)
        for concern, values in causes.config.items()
        for field, value in flatten(values)
    }


def _within(part: str, values: dict[str, str], own: Causes, other: Causes) -> dict[str, str]:
    """Values of a run, without those of files that the other run's record does not know."""
    if own.known == RECORDED or other.known == PRESENT:
        return values
    if part == "config":
        known = tuple(f"{concern}.yaml: " for concern in other.config)
        return {name: value for name, value in values.items() if name.startswith(known)}
    return {name: value for name, value in values.items() if name in other.code}


def _unequal(a: Mapping[str, str], b: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    for name in sorted({*a, *b}):
        if a.get(name) != b.get(name):
            yield name, a.get(name, ABSENT), b.get(name, ABSENT)


def _kind(part: str, name: str) -> str:
    field = name.partition(": ")[2].rpartition(".")[2]
    return "seeds" if part == "config" and field in _SEEDS else part
