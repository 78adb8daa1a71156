"""What goes wrong: each function does one kind of harm to a job, its files, or its surroundings."""

import base64
import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
from chain import Job
from workplace import Workplace

TWO_DAYS = 2 * 24 * 3600.0
DAMAGE = (b"", b"\x00" * 64, None)  # emptied, overwritten, cut in the middle


@dataclass
class Fault:
    """A kind of harm for a job, `share` of the way through it; `detail` chooses between forms."""

    kind: str
    job: Job
    share: float
    detail: int
    struck: bool = False
    complaint: str = ""
    second: subprocess.Popen | None = None


@dataclass
class Scene:
    """Where a fault strikes: the place, the running Snakemake, the job's script."""

    place: Workplace
    snakemake: subprocess.Popen
    script: psutil.Process


def kill_family(script: psutil.Process) -> None:
    """Kill a script and the workers that it forked."""
    for process in [script, *script.children(recursive=True)]:
        process.kill()


def kill(fault: Fault, scene: Scene) -> None:
    """The script and the workers it forked."""
    kill_family(scene.script)


def kill_parent(fault: Fault, scene: Scene) -> None:
    """The script alone, as the kernel does when memory runs out: its workers must end too."""
    scene.script.kill()


def kill_snakemake(fault: Fault, scene: Scene) -> None:
    """Snakemake alone: the script runs on, while the next Snakemake starts it again."""
    scene.snakemake.kill()


def kill_all(fault: Fault, scene: Scene) -> None:
    """Snakemake with all that it started, as at the end of a time limit."""
    os.killpg(scene.snakemake.pid, signal.SIGKILL)


def fill_disk(fault: Fault, scene: Scene) -> None:
    """The disk is full until the script has ended; a long training may outlast it."""
    scene.place.fill()
    psutil.wait_procs([scene.script], timeout=600)
    scene.place.free()


def remove_input(fault: Fault, scene: Scene) -> None:
    """A file that another job made, while the script starts."""
    scene.place.remove([removed_input(fault)])


def edit_config(fault: Fault, scene: Scene) -> None:
    """Its config is edited, which the script may have read or not."""
    edit(scene.place, fault.job)


def second_script(fault: Fault, scene: Scene) -> None:
    """The same script by hand, at the same time and to the same files."""
    variables = ("PYTHONHASHSEED=0", "OMP_NUM_THREADS=1")
    fault.second = scene.place.start("env", *variables, "python", *fault.job.command)


def await_second(fault: Fault, place: Workplace) -> None:
    """The second script ends well too."""
    if code := fault.second.wait():
        fault.complaint = f"the second script ended with exit code {code}"


def second_snakemake(fault: Fault, scene: Scene) -> None:
    """A second Snakemake in the folder: it must refuse, and leave the first alone."""
    scene.script.suspend()  # so that the first is there until the second has ended
    if scene.place.snakemake("--", *fault.job.outputs).wait() != 1:
        fault.complaint = "a second Snakemake was not refused"
    scene.script.resume()


def await_checkpoint(fault: Fault, scene: Scene) -> None:
    """The script is killed once it has saved a checkpoint, which `damage_checkpoint` spoils."""
    while not checkpoints(fault, scene.place):
        if scene.script.status() == psutil.STATUS_ZOMBIE:
            raise psutil.NoSuchProcess(scene.script.pid)
        time.sleep(0.01)
    kill(fault, scene)


def damage_checkpoint(fault: Fault, place: Workplace) -> None:
    """The file from which the next run would resume is not what was saved."""
    for path in checkpoints(fault, place):
        damage(path, fault.detail)


def damage_record(fault: Fault, place: Workplace) -> None:
    """Snakemake's own note on an output cannot be read."""
    for output in fault.job.outputs:
        name = base64.urlsafe_b64encode(output.encode()).decode()
        path = place.folder / ".snakemake/metadata" / name
        if path.is_file():
            damage(path, fault.detail)
            fault.struck = True


def date_back(fault: Fault, place: Workplace) -> None:
    """The clock stood two days back while the job ran."""
    fault.struck = True
    shift(place, fault.job.outputs, -TWO_DAYS)


def date_ahead(fault: Fault, place: Workplace) -> None:
    """The clock stood two days ahead while the job ran; today its config is edited."""
    fault.struck = True
    shift(place, fault.job.outputs, TWO_DAYS)
    edit(place, fault.job)


def old_edit(fault: Fault, place: Workplace) -> None:
    """A config file changes and is dated two days back, as a copy that keeps its date."""
    fault.struck = True
    edit(place, fault.job)
    shift(place, [fault.job.config], -TWO_DAYS)


def removed_input(fault: Fault) -> str:
    """The input that `remove_input` removes."""
    return fault.job.made[fault.detail % len(fault.job.made)]


def checkpoints(fault: Fault, place: Workplace) -> list[Path]:
    """Checkpoint files of the job's script."""
    stem = Path(fault.job.command[0]).stem
    return list(place.folder.glob(f".scratch/{stem}-*/checkpoint.pt"))


def damage(path: Path, form: int) -> None:
    """Spoil a file in one of the forms of `DAMAGE`."""
    content = DAMAGE[form % len(DAMAGE)]
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2] if content is None else content)


def edit(place: Workplace, job: Job) -> None:
    """Change a job's config file without changing a value."""
    path = place.folder / job.config
    if not path.read_text().endswith("# edited\n"):
        path.write_text(path.read_text() + "# edited\n")


def shift(place: Workplace, paths: tuple[str, ...] | list[str], seconds: float) -> None:
    """Move the dates of files."""
    for path in paths:
        date = (place.folder / path).stat().st_mtime + seconds
        os.utime(place.folder / path, (date, date))


# Done to a script that runs by itself (forked.py).
BY_HAND = "killed by hand"
# Done to a running job, at a share of its time; some do more when the run has ended.
RUNNING = {
    "killed": kill,
    "parent killed": kill_parent,
    "snakemake killed": kill_snakemake,
    "all killed": kill_all,
    "disk full": fill_disk,
    "input removed": remove_input,
    "checkpoint unreadable": await_checkpoint,
    "two scripts": second_script,
    "two snakemakes": second_snakemake,
    "edited while it runs": edit_config,
}
ENDED = {"checkpoint unreadable": damage_checkpoint, "two scripts": await_second}
# Done to the files of a job that has ended well.
RESTING = {
    "record unreadable": damage_record,
    "clock back": date_back,
    "clock ahead, then an edit": date_ahead,
    "edit with an old date": old_edit,
}
# Kinds after which Snakemake's lock is left.
LOCKED = {"snakemake killed", "all killed"}
# Kinds that come one at a time: one edit would be another job's as well.
ALONE = {*LOCKED, "edited while it runs"}
# Kinds in which the job must run again, whatever the dates say.
EDITS = {"clock ahead, then an edit", "edit with an old date", "edited while it runs"}
