"""Sets in several files: `<set>.npz` in one, `<set>.0000.npz` and so on in more."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from poseloop.data.config import ViewSetsConfig
from poseloop.runtime.errors import UserError


def files_of(config: ViewSetsConfig, names: Sequence[str]) -> list[str]:
    """Stems of the files of sets, in order; a set that the config does not know has one."""
    stems = []
    for name in names:
        shards = config.sets[name].shards if name in config.sets else 1
        stems += [name] if shards == 1 else [f"{name}.{shard:04d}" for shard in range(shards)]
    return stems


def check_whole(config: ViewSetsConfig, names: Sequence[str], field: str) -> None:
    """Sets that are read whole must lie in one file; `field` of study.yaml lists them.

    Raises
    ------
    UserError
        One is split.
    """
    for name in names:
        if files_of(config, [name]) != [name]:
            raise UserError(
                f"scans.yaml: sets.{name}.shards: only training sets can be split, and study.yaml "
                f"names it in {field}"
            )


def set_of(path: str | Path) -> str:
    """The set that a file belongs to."""
    return Path(path).name.split(".")[0]


def shard_of(config: ViewSetsConfig, stem: str, together: int) -> tuple[str, slice]:
    """Set and rows of it that the file with this stem holds.

    Rows are whole batches of people who are posed `together`, so that each person is the same
    whatever the number of files.

    Raises
    ------
    UserError
        The config has no such file, or the set has fewer batches than files.
    """
    name = set_of(stem)
    if name not in config.sets:
        raise UserError(f"sets: no set {name!r}; there are {', '.join(config.sets)}")
    count, files = config.sets[name].subjects, files_of(config, [name])
    if stem not in files:
        raise UserError(f"sets: {name} has no file {stem!r}: its shards are {len(files)}")
    starts = np.arange(0, count, together)
    if len(starts) < len(files):
        raise UserError(
            f"sets: {name}.shards: {len(files)} for {count} subjects; a shard holds at least "
            f"{together}"
        )
    mine = np.array_split(starts, len(files))[files.index(stem)]
    return name, slice(int(mine[0]), min(int(mine[-1]) + together, count))
