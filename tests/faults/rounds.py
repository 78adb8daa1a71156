"""A round: faults that strike independent jobs in one run, one rerun, and what it ends with."""

import time

import psutil
from strikes import EDITS, ENDED, LOCKED, RESTING, RUNNING, Fault, Scene, removed_input
from workplace import Workplace, hashes

_POLL_S = 0.05
# From its start; before its imports are done no script has read an input.
_AT_ONCE = {"input removed", "two snakemakes", "checkpoint unreadable"}


def strike_round(place: Workplace, faults: list[Fault], right: dict[str, str]) -> None:
    """Let `faults`, one per job, strike; run again once; write down what is not as it should be.

    Parameters
    ----------
    right : digest of every result of the unbroken run
    """
    resting = [fault for fault in faults if fault.kind in RESTING]
    running = [fault for fault in faults if fault.kind in RUNNING]
    for fault in resting:
        RESTING[fault.kind](fault, place)
    if running:
        _broken_run(place, running)
    before = {fault.job.name: _inodes(place, fault) for fault in faults}
    if any(fault.kind in LOCKED and fault.struck for fault in running):
        place.snakemake("--unlock").wait()
    targets = sorted({path for fault in faults for path in _targets(fault)})
    code = place.snakemake("--", *targets).wait()
    _judge(place, faults, right, code)
    for fault in faults:
        if fault.kind in EDITS and fault.struck and before[fault.job.name] & _inodes(place, fault):
            _complain(fault, "silently stale")


def _targets(fault: Fault) -> list[str]:
    """What is asked for in the rerun: the job's outputs, and an input that was taken away."""
    taken = [removed_input(fault)] if fault.kind == "input removed" else []
    return [*fault.job.outputs, *taken]


def _broken_run(place: Workplace, faults: list[Fault]) -> None:
    """Run the faults' jobs; each fault strikes when its script is as far as its share says."""
    waiting = {fault.job.command: fault for fault in faults}
    for fault in faults:
        place.remove(fault.job.outputs)
    snakemake = place.snakemake(
        "--keep-going", "--", *[path for fault in faults for path in fault.job.outputs]
    )
    while snakemake.poll() is None:
        script, fault = _running(snakemake.pid, waiting)
        if fault is not None and _due(fault, script):
            del waiting[fault.job.command]
            try:
                RUNNING[fault.kind](fault, Scene(place, snakemake, script))
                fault.struck = True
            except psutil.NoSuchProcess:
                continue  # it ended first: no fault was injected
        time.sleep(_POLL_S)
    for fault in faults:
        if fault.struck and fault.kind in ENDED:
            ENDED[fault.kind](fault, place)


def _running(pid: int, waiting: dict) -> tuple[psutil.Process | None, Fault | None]:
    """The script that Snakemake runs now, and the fault that waits for it."""
    try:
        for process in psutil.Process(pid).children(recursive=True):
            fault = waiting.get(tuple(process.cmdline()[1:]))
            if fault is not None:
                return process, fault
    except psutil.Error:
        pass
    return None, None


def _due(fault: Fault, script: psutil.Process) -> bool:
    """Has the script used up the fault's share of its processor's time?"""
    if fault.kind in _AT_ONCE:
        return True
    try:
        family = [script, *script.children(recursive=True)]
        used = sum(sum(process.cpu_times()[:2]) for process in family)
    except psutil.Error:
        return False
    return used >= fault.share * fault.job.seconds


def _judge(place: Workplace, faults: list[Fault], right: dict[str, str], code: int) -> None:
    """After the rerun: its exit code, every hash, and nothing left behind."""
    found = hashes(place.folder)
    for fault in faults:
        if code:
            _complain(fault, f"the rerun ended with exit code {code}")
        wrong = [path for path in _targets(fault) if found.get(path) != right[path]]
        if wrong:
            _complain(fault, f"wrong or missing: {', '.join(wrong)}")
    own = {path for fault in faults for path in _targets(fault)}
    strays = {path for path in found.keys() | right.keys() if found.get(path) != right.get(path)}
    left = [" ".join(process.cmdline())[:80] for process in place.processes()]
    for fault in faults:
        if strays - own:
            _complain(fault, f"other files differ: {', '.join(sorted(strays - own))}")
        if left:
            _complain(fault, f"still running: {', '.join(left)}")


def _inodes(place: Workplace, fault: Fault) -> set[int]:
    """Of the job's outputs: a file that is made again gets another."""
    paths = [place.folder / path for path in fault.job.outputs]
    return {path.stat().st_ino for path in paths if path.is_file()}


def _complain(fault: Fault, text: str) -> None:
    fault.complaint = f"{fault.complaint}; {text}" if fault.complaint else text
