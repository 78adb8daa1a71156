"""Same numbers again: other folders, other numbers of cores, and DVC in place of Snakemake.

As a program, in the folder of a copy, it writes the copy's dvc.yaml and prints its stages.
"""

import json
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import yaml
from chain import Job
from workplace import PRESET, RESULTS, Workplace, hashes


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


def by_dvc(place: Workplace, right: dict[str, str], rules: list[str]) -> str:
    """The jobs of some rules, made by `dvc repro` where the files above them are recorded."""
    command = [sys.executable, Path(__file__).resolve()]
    done = subprocess.run(
        command, cwd=place.folder, env=place.environment, stdout=subprocess.PIPE, stderr=place.log
    )
    stages = json.loads(done.stdout.splitlines()[-1])
    wanted = [name for name in stages if name.partition("--")[0] in rules]
    paths = [path for name in wanted for path in stages[name]]
    for arguments in (["git", "init", "--quiet"], ["dvc", "commit", "--force", *stages]):
        place.start(*arguments).wait()
    place.remove(paths)
    code = place.start("dvc", "repro", "--single-item", "--force", *wanted).wait()
    return differences(place, right, paths) if code == 0 else f"exit code {code}"


def same_numbers(
    unbroken: Path, work: Path, jobs: list[Job], rules: list[str]
) -> Iterator[tuple[str, str]]:
    """Each way to make the numbers, and what is not the same.

    `rules`: DVC makes their jobs alone, and the chain is not made anew; all and both without.
    """
    right = hashes(unbroken)
    made = {path for job in jobs for path in job.outputs}
    chosen = rules or sorted({job.rule for job in jobs})
    ways = {"made by DVC": lambda place: by_dvc(place, right, chosen)}
    if not rules:
        ways["another folder, two cores"] = lambda place: two_cores(place, right, made)
    for name, way in ways.items():
        place = Workplace(unbroken, work / name.replace(", ", "-").replace(" ", "-"))
        try:
            yield name, way(place)
        finally:
            place.close()


def main() -> None:
    """Write dvc.yaml with the stages of `all` at smoke size."""
    sys.path.insert(0, "scripts")
    from gen_dvc import jobs_of, stage_of

    from poseloop.runtime.pipelines import outputs_of

    stages = dict(stage_of(job, "") for job in jobs_of("smoke", "all"))
    Path("dvc.yaml").write_text(yaml.safe_dump({"vars": [{"preset": "smoke"}], "stages": stages}))
    Path("dvc.lock").unlink(missing_ok=True)
    print(json.dumps({name: outputs_of(stage) for name, stage in stages.items()}))


if __name__ == "__main__":
    main()
