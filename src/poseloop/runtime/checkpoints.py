"""Checkpoints of a training run, in a scratch folder keyed by all that determines its result."""

import hashlib
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import torch

from poseloop.runtime.closure import import_closure
from poseloop.runtime.errors import UserError
from poseloop.runtime.files import atomic_path, sha256
from poseloop.runtime.refusing import refusing

SCRATCH = Path(os.environ.get("POSELOOP_SCRATCH", ".scratch"))


def run_key(script: str | Path, inputs: Iterable[str | Path], *settings: object) -> str:
    """Key of a run: the script's name and a hash of its code, input files and settings.

    Parameters
    ----------
    script : the running script; with it counts every module that it imports
    inputs : config and data files; of a folder, such as one of body models, all files count
    settings : whatever else decides the result, such as a seed from the command line
    """
    script = Path(script)
    code = import_closure(script, Path(__file__).parents[2])
    digest = hashlib.sha256(repr(settings).encode())
    for path in (*code, *_files(inputs)):
        digest.update(sha256(path).encode())
    return f"{script.stem}-{digest.hexdigest()[:16]}"


def _files(inputs: Iterable[str | Path]) -> Iterator[Path]:
    """The inputs, and in place of a folder what is in it."""
    for path in map(Path, inputs):
        if path.is_dir():
            yield from sorted(inner for inner in path.rglob("*") if inner.is_file())
        else:
            yield path


class Checkpoints:
    """Save and restore the whole state of a training loop.

    Parameters
    ----------
    key : str
        From `run_key`; another config, code or input is another folder, so that a checkpoint
        can never be resumed under conditions other than its own.
    every : int
        Steps between saves.
    """

    def __init__(self, key: str, every: int) -> None:
        self.folder = SCRATCH / key
        self.every = every

    @property
    def path(self) -> Path:
        """The checkpoint file of this run."""
        return self.folder / "checkpoint.pt"

    def restore(self) -> dict | None:
        """The last saved state, or None at the start of a run and where the file is damaged."""
        if not self.path.is_file():
            return None
        try:
            with refusing(self.path, "a damaged checkpoint"):
                return torch.load(self.path, map_location="cpu", weights_only=True)
        except UserError as fault:
            print(f"{fault}; starting anew", file=sys.stderr)
            return None

    def save(self, step: int, state: Callable[[], dict]) -> None:
        """Save `state()` if `step` (counted from 1) is a multiple of `every`."""
        if step % self.every == 0:
            with atomic_path(self.path) as temporary:
                torch.save({"step": step, **state()}, temporary)

    def discard(self) -> None:
        """Remove the folder: the declared output has been written."""
        shutil.rmtree(self.folder, ignore_errors=True)
