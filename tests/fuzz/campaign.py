"""Inputs of one reader, numbered: the same number is the same input, on every machine."""

import os
import random
import warnings
from contextlib import redirect_stderr
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from fuzz import guard
from fuzz.formats import damaged
from fuzz.reader import Reader

MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None
"""Where temporary folders cost no disk, if there is such a place."""


@dataclass(frozen=True)
class Fault:
    """What a reader did that it may not do with the input of that number."""

    number: int
    file: str
    what: str


class Campaign:
    """Damages one file of a folder at a time, and reads; the one before is put back first.

    Parameters
    ----------
    reader : Reader
    folder : an empty folder, best in memory
    """

    def __init__(self, reader: Reader, folder: Path) -> None:
        self.reader, self.folder = reader, folder
        reader.make(folder)
        self.whole = {
            path: path.read_bytes()
            for pattern in reader.damaged
            for path in sorted(folder.glob(pattern))
        }
        self.damaged: Path | None = None
        self.folders = [folder.parent, folder, *(p for p in folder.rglob("*") if p.is_dir())]
        self.dates = self._dates()

    def whole_is_read(self) -> None:
        """Read the folder as it was made; raises what the reader raises."""
        self.reader.read(self.folder)

    def input(self, number: int) -> tuple[Path, bytes]:
        """The file that input `number` damages, and its bytes."""
        rng = random.Random(f"{self.reader.name}/{number}")
        path = rng.choice(list(self.whole))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return path, damaged(self.whole[path], path.suffix, rng)

    def attempt(self, number: int) -> Fault | None:
        """Read input `number`."""
        path, data = self.input(number)
        if self.damaged not in (None, path):
            self.damaged.write_bytes(self.whole[self.damaged])
        self.damaged = path
        path.write_bytes(data)
        with warnings.catch_warnings(), redirect_stderr(StringIO()):
            warnings.simplefilter("ignore")
            what = guard.attempt(self.reader.read, self.folder)
        before, self.dates = self.dates, self._dates()
        if what is None and self.dates != before:
            what = "forbidden: files came or went"
        return Fault(number, path.name, what) if what else None

    def _dates(self) -> list[int]:
        """Of the folders: another one each time that a file comes or goes."""
        return [os.stat(folder).st_mtime_ns for folder in self.folders]
