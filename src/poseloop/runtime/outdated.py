"""Outputs whose inputs changed while their job ran.

Snakemake takes such an output for up to date: it is newer than the change, and the record of its
job holds the checksum that the input had at the end, though the script may have read it before.
"""

import base64
import json
import os
import stat
from collections.abc import Iterator
from functools import cache
from pathlib import Path

RECORDS = Path(".snakemake/metadata")
"""One JSON file for each output that was made: what from, when its job started."""


def outdate(records: Path = RECORDS) -> dict[Path, list[str]]:
    """Date outputs before the inputs that changed while their job ran, and drop their records.

    Snakemake then makes them anew, for an input is newer and nothing says that it is the same.
    Changed is what was written, or put in its place whatever date it carries (the time of the
    inode), between the start of the job and the writing of its record. What the script read after
    the change is taken for changed as well.

    Parameters
    ----------
    records : folder of Snakemake's records; that of the working directory by default

    Returns
    -------
    the inputs that changed, by output
    """
    times = cache(_times)
    outdated = {}
    for record, output, start, inputs in _recorded(records):
        end = record.stat().st_mtime
        changed = [path for path in inputs if any(start < time <= end for time in times(path))]
        if changed and output.is_file():
            date = min(start, *(times(path)[0] for path in changed)) - 1
            record.unlink(missing_ok=True)
            os.utime(output, (date, date))
            outdated[output] = changed
    return outdated


def _times(path: str) -> tuple[float, ...]:
    """When a file was written, and its inode; none if it is missing, or a folder."""
    try:
        found = os.stat(path)
    except OSError:
        return ()
    return (found.st_mtime, found.st_ctime) if stat.S_ISREG(found.st_mode) else ()


def _recorded(records: Path) -> Iterator[tuple[Path, Path, float, list[str]]]:
    """Each record that can be read: its file, the output, the job's start, the job's inputs."""
    for folder, _, names in os.walk(records):
        for name in names:
            path = Path(folder, name)
            try:
                content = json.loads(path.read_bytes())
                start, inputs = float(content["starttime"]), list(map(str, content["input"]))
                output = _output_of(path.relative_to(records))
            except (OSError, ValueError, KeyError, TypeError):
                continue
            yield path, output, start, inputs


def _output_of(name: Path) -> Path:
    """The output of a record: in base 64, where long cut into folders that begin with `@`."""
    parts = (part.removeprefix("@") for part in name.parts)
    return Path(base64.urlsafe_b64decode("".join(parts)).decode())
