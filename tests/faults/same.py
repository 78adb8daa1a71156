"""Same numbers again: another folder, two cores, kills in between, and DVC in place of Snakemake.

As a program, in the folder of a copy, it writes the copy's dvc.yaml and prints its stages.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import yaml
from chain import Job
from workplace import PRESET, RESULTS, Workplace, hashes, workplace

# Seconds after which a run is killed and started again, the last time to its end.
_KILLED_AFTER = (30, 60, 45, 120, 75, 90)
_CELL = ("drpose_geometry", "thuman_like", "chamfer", "DrPose")


def differences(place: Workplace, right: dict[str, str], paths: Iterable[str]) -> str:
    """Which of some files are missing or not as they should be; empty if none."""
    found = hashes(place.folder)
    wrong = [path for path in sorted(paths) if found.get(path) != right[path]]
    return f"wrong or missing: {', '.join(wrong)}" if wrong else ""


def two_cores(place: Workplace, right: dict[str, str], made: set[str]) -> str:
    """The whole chain in a folder without results, on two cores."""
    place.remove(path for path in right if path.startswith(RESULTS))
    code = place.start("snakemake", "all", "--cores", "2", *PRESET).wait()
    return differences(place, right, made) if code == 0 else f"exit code {code}"


def killed_and_resumed(place: Workplace, right: dict[str, str], made: set[str]) -> str:
    """The whole chain in a folder without results, on one core, killed again and again."""
    place.remove(path for path in right if path.startswith(RESULTS))
    for seconds in _KILLED_AFTER:
        run = place.snakemake("all")
        try:
            run.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(run.pid, signal.SIGKILL)
            run.wait()
            place.snakemake("--unlock").wait()
    code = place.snakemake("all").wait()
    return differences(place, right, made) if code == 0 else f"exit code {code}"


def recorded(place: Workplace) -> dict[str, list[str]]:
    """Let DVC record the chain as it is: the outputs of its stages, by name."""
    command = [sys.executable, Path(__file__).resolve()]
    done = subprocess.run(
        command, cwd=place.folder, env=place.environment, stdout=subprocess.PIPE, stderr=place.log
    )
    stages = json.loads(done.stdout.splitlines()[-1])
    for arguments in (["git", "init", "--quiet"], ["dvc", "commit", "--force", *stages]):
        place.start(*arguments).wait()
    return stages


def edited_table(place: Workplace) -> str:
    """A table edited by hand where DVC has recorded it: asking for the cell must tell."""
    asking = ("python", "-m", "poseloop", "--preset", "smoke", "trace", *_CELL, "--verify")
    if code := place.start(*asking).wait():
        return f"before the edit: exit code {code}"
    path = place.folder / RESULTS / f"tables/{_CELL[0]}.csv"
    whole = path.read_text()
    path.write_text(whole.replace(",DrPose,", ",DrPose,1"))
    code = place.start(*asking).wait()
    path.write_text(whole)
    return "" if code == 1 else f"not found out: exit code {code}"


def by_dvc(
    place: Workplace, right: dict[str, str], stages: dict[str, list[str]], rules: list[str]
) -> str:
    """The jobs of some rules, or all, made by `dvc repro` after a record of the chain."""
    wanted = [name for name in stages if name.partition("--")[0] in rules or not rules]
    paths = [path for name in wanted for path in stages[name]]
    place.remove(paths)
    # Of the whole chain DVC has to find the order.
    alone = ["--single-item", *wanted] if rules else []
    code = place.start("dvc", "repro", "--force", *alone).wait()
    return differences(place, right, paths) if code == 0 else f"exit code {code}"


def same_numbers(
    unbroken: Path, work: Path, jobs: list[Job], rules: list[str]
) -> Iterator[tuple[str, str]]:
    """Each way to make the numbers, and what is not the same; the shorter ways first.

    `rules`: DVC makes their jobs alone, and the chain is not made anew; all and both without.
    """
    right = hashes(unbroken)
    made = {path for job in jobs for path in job.outputs}
    if not rules:
        with workplace(unbroken, work / "two-cores") as place:
            yield "another folder, two cores", two_cores(place, right, made)
        with workplace(unbroken, work / "killed") as place:
            yield "killed and resumed", killed_and_resumed(place, right, made)
    with workplace(unbroken, work / "dvc") as place:
        stages = recorded(place)
        yield "a table edited by hand", edited_table(place)
        yield "made by DVC", by_dvc(place, right, stages, rules)


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
