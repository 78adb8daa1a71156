"""How far the running jobs are, from the last line of progress in their logs.

Training loops write their progress by tqdm; the workflow gives it a format of plain lines
(workflow/rules/common.smk), with the rate and the time that is left.
"""

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_STEP = re.compile(r"(\d+)/(\d+) \[[^<\]]*<([^,\]]*), *([^,\]]+)")
_TAIL_BYTES = 4096


@dataclass(frozen=True)
class Progress:
    """Of one job.

    Attributes
    ----------
    job : the log's path without its folder and suffix
    step, steps : done and in all
    left : time that is left, as tqdm writes it
    rate : steps a second, or seconds a step, as tqdm writes it
    """

    job: str
    step: int
    steps: int
    left: str
    rate: str

    def line(self) -> str:
        """One line of a terminal."""
        share = self.step / self.steps
        bar = ("#" * round(20 * share)).ljust(20, ".")
        return f"{bar} {share:4.0%}  {self.left:>7} left  {self.rate:>10}  {self.job}"


def read_progress(log: Path, root: Path) -> Progress | None:
    """The last step that a log tells of; None where it tells of none.

    Parameters
    ----------
    log : file of a job
    root : folder of all logs
    """
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - _TAIL_BYTES))
        text = file.read().decode("utf-8", "replace")
    found = _STEP.findall(text)
    if not found or not int(found[-1][1]):
        return None
    step, steps, left, rate = found[-1]
    job = log.relative_to(root).with_suffix("").as_posix()
    return Progress(job, int(step), int(steps), left, rate.strip())


def running(root: Path, silent_s: float, now: float | None = None) -> Iterator[Progress]:
    """Jobs whose logs were written to of late, and that are not at their last step.

    Parameters
    ----------
    root : folder of all logs
    silent_s : seconds without a new line after which a job counts as ended
    now : seconds since the epoch; the clock's by default
    """
    now = time.time() if now is None else now
    for log in sorted(root.rglob("*.log")):
        if now - log.stat().st_mtime > silent_s:
            continue
        progress = read_progress(log, root)
        if progress is not None and progress.step < progress.steps:
            yield progress
