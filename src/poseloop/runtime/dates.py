"""Dates of files that Snakemake can go by, whatever became of the clock.

Snakemake takes a job for stale where an input is newer than an output. A change escapes it if the
output was made while the clock stood ahead, if the changed file carries an old date, from a clock
that stood back or a copy that keeps dates, or if it came while the job ran. So each start looks at
dates and content first.
"""

import os
import time
from collections.abc import Iterable
from pathlib import Path

from poseloop.runtime.errors import UserError
from poseloop.runtime.files import read_json, sha256, write_json
from poseloop.runtime.outdated import outdate

RECORD = Path(".snakemake/sources.json")
"""Hashes of config and code at the last look."""
# Clocks of machines that share a file system differ by seconds.
TOLERANCE_S = 60
_APART_NS = 1000


def put_dates_right(
    sources: Iterable[Path], results: Path, record: Path, now_s: float | None = None
) -> list[Path]:
    """Date what lies in the future to now, in its order, and what changed since last time after it.

    Outputs whose inputs changed while their job ran are dated before these first.

    Parameters
    ----------
    sources : files that people edit and jobs read: config and code
    results : folder of what jobs make
    record : JSON file of the sources' hashes at the last look; made where it is missing
    now_s : seconds since the epoch; the clock's by default

    Returns
    -------
    the files that got another date
    """
    outdated = outdate()
    now = time.time_ns() if now_s is None else int(now_s * 1e9)
    hashes = {str(path): sha256(path) for path in sources}
    known = _read(record)
    changed = [Path(name) for name, digest in hashes.items() if known.get(name, digest) != digest]
    if hashes != known:
        write_json(record, hashes)

    files = {*map(Path, hashes), *(path for path in results.rglob("*") if path.is_file())}
    limit = now + TOLERANCE_S * 10**9
    ahead = sorted((path.stat().st_mtime_ns, path) for path in files.difference(changed))
    dated = [*(path for date, path in ahead if date > limit), *sorted(changed)]
    for order, path in enumerate(dated):
        date = now + order * _APART_NS
        os.utime(path, ns=(date, date))
    return [*outdated, *dated]


def _read(record: Path) -> dict:
    """The hashes of the last look; none where there was none, or where they cannot be read."""
    try:
        known = read_json(record)
    except UserError:
        return {}
    return known if isinstance(known, dict) else {}
