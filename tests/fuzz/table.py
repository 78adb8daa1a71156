"""All readers of files from outside, by name."""

from pathlib import Path

from fuzz import body, configs, labelled, motion, pictures, scans, stores, weights
from fuzz.reader import Reader

_TABLES = (motion, body, scans, pictures, labelled, weights, stores, configs)
READERS = {reader.name: reader for table in _TABLES for reader in table.READERS}


def made(name: str, folder: Path) -> tuple[Reader, Path, Path]:
    """The files of a reader of the table, and the first that it damages."""
    case = folder / "case"
    case.mkdir()
    reader = READERS[name]
    reader.make(case)
    reader.read(case)
    return reader, case, next(iter(sorted(case.glob(reader.damaged[0]))))
