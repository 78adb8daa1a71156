"""Same numbers again: another folder, two cores, kills in between, and DVC in place of Snakemake.

As a program, in the folder of a copy, it writes the copy's dvc.yaml and prints its stages.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import psutil
import yaml
from chain import Job
from workplace import RESULTS, Workplace, hashes

# Of the processor's time, that of Snakemake's own start included.
_KILLED_AFTER_S = (12, 20, 45, 30, 75, 25)
_POLL_S = 0.2
_TABLE = f"{RESULTS}/tables/drpose_geometry.csv"
_CELL = ("thuman_like", "chamfer", "DrPose")


def differences(place: Workplace, right: dict[str, str], paths: Iterable[str]) -> str:
    """Which of some files are missing or not as they should be; empty if none."""
    found = hashes(place.folder)
    wrong = [path for path in sorted(paths) if found.get(path) != right[path]]
    return f"wrong or missing: {', '.join(wrong)}" if wrong else ""


def anew(
    place: Workplace, right: dict[str, str], paths: list[str], kills: Iterable[float] = ()
) -> str:
    """Files made once more by Snakemake, which is killed after so much of the processor's time."""
    place.remove(paths)
    for seconds in kills:
        run = place.snakemake("--", *paths)
        if not _used_up(run, seconds):
            break
        os.killpg(run.pid, signal.SIGKILL)
        run.wait()
        place.snakemake("--unlock").wait()
    code = place.snakemake("--", *paths).wait()
    return differences(place, right, paths) if code == 0 else f"exit code {code}"


def _used_up(run: subprocess.Popen, seconds: float) -> bool:
    """Wait until a run with its jobs has used so much of the processor's time, or has ended."""
    root, used = psutil.Process(run.pid), 0.0
    while run.poll() is None and used < seconds:
        time.sleep(_POLL_S)
        with suppress(psutil.Error):
            family = [root, *root.children(recursive=True)]
            used = sum(sum(process.cpu_times()[:4]) for process in family)
    return run.poll() is None


def by_dvc(place: Workplace, right: dict[str, str], rules: list[str]) -> str:
    """The jobs of some rules, or all, made by `dvc repro`, which records them."""
    command = [sys.executable, Path(__file__).resolve()]
    done = subprocess.run(
        command, cwd=place.folder, env=place.environment, stdout=subprocess.PIPE, stderr=place.log
    )
    stages = json.loads(done.stdout.splitlines()[-1])
    wanted = [name for name in stages if name.partition("--")[0] in rules or not rules]
    paths = [path for name in wanted for path in stages[name]]
    place.remove(paths)
    place.start("git", "init", "--quiet").wait()
    # Of the whole chain DVC has to find the order.
    alone = ["--single-item", *wanted] if rules else []
    code = place.start("dvc", "repro", "--force", *alone).wait()
    return differences(place, right, paths) if code == 0 else f"exit code {code}"


def edited_table(place: Workplace) -> str:
    """A table edited by hand where DVC has recorded it: asking for a cell must tell."""
    if _is_found_out(place):
        return "found out before the edit"
    path = place.folder / _TABLE
    path.write_text(path.read_text().replace(",DrPose,", ",DrPose,1"))
    return "" if _is_found_out(place) else "not found out"


def _is_found_out(place: Workplace) -> bool:
    asking = ["python", "-m", "poseloop", "--preset", "smoke", "trace", Path(_TABLE).stem, *_CELL]
    done = subprocess.run(
        [*asking, "--verify"], cwd=place.folder, env=place.environment, stdout=subprocess.PIPE
    )
    return done.returncode == 1 and f"{_TABLE}: changed since" in done.stdout.decode()


def same_numbers(
    unbroken: Path, work: Path, jobs: list[Job], rules: list[str]
) -> Iterator[tuple[str, str]]:
    """Each way to make the numbers of some rules, or of all, and what is not the same."""
    right = hashes(unbroken)
    chosen = [job for job in jobs if job.rule in rules or not rules]
    paths = sorted({path for job in chosen for path in job.outputs})
    with closing(Workplace(unbroken, work / "two-cores", ["--cores", "2"])) as place:
        yield "another folder, two cores", anew(place, right, paths)
    with closing(Workplace(unbroken, work / "killed")) as place:
        yield "killed and resumed", anew(place, right, paths, _KILLED_AFTER_S)
    with closing(Workplace(unbroken, work / "dvc")) as place:
        yield "made by DVC", by_dvc(place, right, rules)
        if any(job.rule == "drpose_table" for job in chosen):
            yield "a table edited by hand", edited_table(place)


def main() -> None:
    """Write dvc.yaml with the stages of `all` at smoke size."""
    sys.path.insert(0, "scripts")
    from gen_dvc import jobs_of, stage_of

    from poseloop.runtime.pipelines import outputs_of

    stages = dict(stage_of(job, "") for job in jobs_of("smoke", ["all"]))
    Path("dvc.yaml").write_text(yaml.safe_dump({"vars": [{"preset": "smoke"}], "stages": stages}))
    Path("dvc.lock").unlink(missing_ok=True)
    print(json.dumps({name: outputs_of(stage) for name, stage in stages.items()}))


if __name__ == "__main__":
    main()
