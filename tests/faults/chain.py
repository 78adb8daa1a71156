"""The jobs of a finished run, as Snakemake has them: what they read, write, and take.

As a program, in the folder of the run, it prints them as JSON.
"""

import csv
import json
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Job:
    """One job of the run.

    Attributes
    ----------
    name : rule and wildcards
    made : inputs that other jobs of the run make, the others being code, config and assets
    command : words of the script's command line, without the interpreter
    seconds : processor's time of the unbroken job
    """

    rule: str
    name: str
    inputs: tuple[str, ...]
    made: tuple[str, ...]
    outputs: tuple[str, ...]
    command: tuple[str, ...]
    seconds: float

    @property
    def config(self) -> str | None:
        """The job's first config file."""
        return next((path for path in self.inputs if path.startswith("config/")), None)


def read_jobs(folder: Path, environment: dict[str, str], kept: Path) -> list[Job]:
    """The jobs of `folder`'s target `all` at smoke size; `kept` keeps them for next time."""
    if not kept.is_file():
        with kept.open("w") as file:
            command = [sys.executable, Path(__file__).resolve()]
            subprocess.run(command, cwd=folder, env=environment, check=True, stdout=file)
    records = json.loads(kept.read_text().splitlines()[-1])
    return [
        Job(**{k: tuple(v) if isinstance(v, list) else v for k, v in r.items()}) for r in records
    ]


def producers(jobs: list[Job]) -> dict[str, Job]:
    """The job that makes each file."""
    return {path: job for job in jobs for path in job.outputs}


def above(job: Job, makers: dict[str, Job]) -> set[str]:
    """Names of all jobs that `job` depends on."""
    found: set[str] = set()
    waiting = [job]
    while waiting:
        for path in waiting.pop().made:
            if makers[path].name not in found:
                found.add(makers[path].name)
                waiting.append(makers[path])
    return found


def _job(job, made_anywhere: set[str]) -> Job:
    """Of one of Snakemake's job objects."""
    words = job.shellcmd.split(" > ")[0].split()
    # Before it stands what runs it, and where.
    command = words[[word.startswith("scripts/") for word in words].index(True) :]
    with open(str(job.benchmark)) as stream:
        row = list(csv.DictReader(stream, delimiter="\t"))[-1]
    inputs = sorted(map(str, job.input))
    return Job(
        rule=job.rule.name,
        name=" ".join([job.rule.name, *map(str, job.wildcards)]),
        inputs=tuple(inputs),
        made=tuple(path for path in inputs if path in made_anywhere),
        outputs=tuple(map(str, job.output)),
        command=tuple(command),
        seconds=float(row["cpu_time"]),
    )


if __name__ == "__main__":
    sys.path.insert(0, "scripts")
    from gen_dvc import jobs_of

    all_jobs = jobs_of("smoke", ["all"])
    made = {str(path) for job in all_jobs for path in job.output}
    print(json.dumps([asdict(_job(job, made)) for job in all_jobs]))
