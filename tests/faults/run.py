"""Inject faults into the smoke run and see whether one rerun mends each of them.

    python tests/faults/run.py --count 100 --seed 0    # faults
    python tests/faults/run.py --same-numbers          # the same numbers by other ways

One run of the chain is made, or taken from `--unbroken`. Every round strikes a few jobs of a copy
of it that do not depend on each other, with all their inputs there, runs once more, and compares
the hash of every file with the unbroken run. A fault that came too late, when its script had
ended, is not counted. `--by-hand` of the faults kill scripts that run without Snakemake, which is
cheap. A line is printed per fault, at the end the counts by kind and by rule; the exit code is 1
if any fault ended wrong.

A full disk needs a disk of its own, and so a user who may mount one.
"""

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path

from chain import Job, read_jobs
from forked import kill_scripts
from plan import WEIGHTS, Plan
from rounds import strike_round
from same import same_numbers
from strikes import Fault
from workplace import PRESET, Workplace, hashes

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from workflow_clone import Clone


def shown(fault: Fault) -> Fault:
    """Print a fault's line, and hand it on."""
    end = fault.complaint or "right" if fault.struck else "too late"
    print(f"{fault.kind:<26} {fault.job.name:<38} {fault.share:4.0%}  {end}", flush=True)
    return fault


def inject(
    arguments: argparse.Namespace, jobs: list[Job], unbroken: Path, work: Path
) -> Iterator[Fault]:
    """Faults by hand, then rounds until there are as many as asked for, or the time is up."""
    right, end = hashes(unbroken), time.monotonic() + 60 * arguments.minutes
    options = ["--allowed-rules", *arguments.rules] if arguments.alone else []
    plan = Plan(jobs, arguments.rules, arguments.kinds, arguments.seed)
    left, number = arguments.count, 0
    if arguments.by_hand:
        with closing(Workplace(unbroken, work / "by-hand")) as place:
            for fault in kill_scripts(place, plan.by_hand(arguments.by_hand), right):
                left -= fault.struck
                yield fault
    while left > 0 and time.monotonic() < end:
        with closing(Workplace(unbroken, work / f"round{number}", options)) as place:
            faults = plan.draw(min(arguments.round, left), place.mounted)
            strike_round(place, faults, right)
        left -= sum(fault.struck for fault in faults)
        number += 1
        yield from faults


def count(faults: Iterable[Fault]) -> int:
    """Print each fault and their counts; how many there were, 0 if one ended wrong."""
    struck = [fault for fault in map(shown, faults) if fault.struck or fault.complaint]
    for name, key in (("kind", lambda f: f.kind), ("rule", lambda f: f.job.rule)):
        print(f"\nfaults by {name}:")
        for value, number in Counter(map(key, struck)).most_common():
            print(f"{number:5d}  {value}")
    wrong = sum(bool(fault.complaint) for fault in struck)
    print(f"\n{len(struck)} faults injected, {wrong} ended wrong")
    return 0 if wrong else len(struck)


def work_in(arguments: argparse.Namespace, work: Path) -> bool:
    """Do what was asked for in a folder; is all as it should be?"""
    unbroken = arguments.unbroken or work / "unbroken"
    if not unbroken.is_dir():
        Clone(unbroken).call("snakemake", "all", "--cores", "1", *PRESET)
    with closing(Workplace(unbroken, work / "jobs")) as place:
        jobs = read_jobs(place.folder, place.environment, work / "jobs.json")
    if not arguments.same_numbers:
        return count(inject(arguments, jobs, unbroken, work)) >= arguments.count
    complaints = []
    for way, complaint in same_numbers(unbroken, work, jobs, arguments.rules):
        print(f"{way:<26} {complaint or 'same'}", flush=True)
        complaints.append(complaint)
    return not any(complaints)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--count", type=int, default=100, help="faults to inject")
    add("--seed", type=int, default=0, help="of kinds, jobs and moments")
    add("--by-hand", type=int, default=50, help="how many of them without Snakemake")
    add("--round", type=int, default=6, help="faults between two copies, at most")
    add("--minutes", type=float, default=600, help="no new round after so long")
    add("--kinds", nargs="+", choices=WEIGHTS, default=list(WEIGHTS))
    add("--rules", nargs="+", default=[], help="these rules alone")
    add("--alone", action="store_true", help="Snakemake sees no other rules, nor that they ran")
    add("--same-numbers", action="store_true", help="no faults: two cores, kills, DVC")
    add("--unbroken", type=Path, help="a folder with a finished run")
    add("--work", type=Path, help="folder for copies and their logs, kept")
    arguments = parser.parse_args()
    if arguments.unbroken:
        arguments.unbroken = arguments.unbroken.resolve()
    with tempfile.TemporaryDirectory() as temporary:
        right = work_in(arguments, (arguments.work or Path(temporary)).resolve())
    sys.exit(not right)


if __name__ == "__main__":
    main()
