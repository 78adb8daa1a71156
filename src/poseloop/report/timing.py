"""What Snakemake measured of a job: the first row of its `benchmark:` file."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from poseloop.runtime.errors import UserError
from poseloop.runtime.files import require_file


@dataclass(frozen=True)
class Timing:
    """A job's time and memory.

    Attributes
    ----------
    wall_clock_s, cpu_s : float
        Seconds; the processor's time is not stretched by a busy machine.
    peak_memory_mb : float
    """

    wall_clock_s: float
    cpu_s: float
    peak_memory_mb: float


def read_timing(path: str | Path) -> Timing:
    """Read a `benchmark:` file.

    Raises
    ------
    UserError
        The file is missing, is no benchmark file, or is that of a job too short to be measured.
    """
    path = require_file(path, "benchmark file")
    try:
        row = pd.read_csv(path, sep="\t").iloc[0]
        numbers = [float(row[name]) for name in ("s", "cpu_time", "max_rss")]
    except (OSError, ValueError, KeyError, IndexError) as fault:
        raise UserError(f"{path}: not a benchmark file of Snakemake ({fault})") from fault
    if not np.isfinite(numbers).all():
        raise UserError(f"{path}: the job was too short to be measured")
    return Timing(*numbers)
