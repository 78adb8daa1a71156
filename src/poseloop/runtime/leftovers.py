"""What killed jobs left behind: the unfinished files of `files.atomic_path`."""

import os
import re
from pathlib import Path

_PART = re.compile(r"\..*\.(\d+)\.part(\.[^.]*)?")


def remove_leftovers(folder: Path) -> list[Path]:
    """Remove unfinished files whose writer no longer runs on this machine, and return them."""
    removed = []
    for path in folder.rglob(".*.part*"):
        found = _PART.fullmatch(path.name)
        if found and not _runs(int(found[1])):
            path.unlink(missing_ok=True)
            removed.append(path)
    return removed


def _runs(pid: int) -> bool:
    """Is there a process of this number?"""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True
