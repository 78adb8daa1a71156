"""Which faults come: kinds by weight, jobs independent of each other, cheap ones more often."""

import random
from collections import Counter

from chain import Job, above, producers
from strikes import ALONE, BY_HAND, EDITS, RESTING, RUNNING, Fault

# How often a kind comes; kinds with a second copy or a lock cost a run of Snakemake more.
WEIGHTS = {
    "killed": 12,
    "parent killed": 3,
    "snakemake killed": 1,
    "all killed": 1,
    "disk full": 4,
    "input removed": 3,
    "checkpoint unreadable": 3,
    "two scripts": 2,
    "two snakemakes": 1,
    "record unreadable": 3,
    "clock back": 3,
    "clock ahead, then an edit": 2,
    "edit with an old date": 2,
    "edited while it runs": 1,
}
PARTICULAR = {"checkpoint unreadable", "input removed"}
TRAININGS = {"train_autoencoder", "train_multiview", "train_posescore", "train_judge"}


def suits(kind: str, job: Job, makers: dict[str, Job]) -> bool:
    """Can this kind of fault strike this job?"""
    if kind == "input removed":
        return bool(job.made) and all(makers[path].seconds < 6 for path in job.made)
    if kind == "checkpoint unreadable":
        return job.rule in TRAININGS or job.rule.startswith("finetune")
    return True


class Plan:
    """Draws the faults of a round, cheap jobs and rarely struck rules first."""

    def __init__(self, jobs: list[Job], rules: list[str], kinds: list[str], seed: int) -> None:
        self.all, self.kinds = jobs, kinds
        self.jobs = [job for job in jobs if job.rule in rules or not rules]
        self.makers = producers(jobs)
        self.above = {job.name: above(job, self.makers) for job in jobs}
        self.random = random.Random(seed)
        self.counts: Counter = Counter()
        self.kind_counts: Counter = Counter()

    def draw(self, size: int, can_fill: bool) -> list[Fault]:
        """Up to `size` faults of jobs that do not depend on each other, or one that comes alone.

        `can_fill`: the disk is one that may be filled.
        """
        possible = [kind for kind in self.kinds if kind != "disk full" or can_fill]
        first = self._kind(possible)
        if first in ALONE | EDITS:
            jobs = self._readers() if first in EDITS else None
            count = 1 if first in ALONE else size
            self.kind_counts[first] += count - 1
            return self._faults([first] * count, jobs)
        group = RESTING.keys() - EDITS if first in RESTING else RUNNING.keys() - ALONE
        kinds = [kind for kind in possible if kind in group]
        return self._faults([first, *(self._kind(kinds) for _ in range(size - 1))])

    def by_hand(self, count: int) -> list[Fault]:
        """Kills of scripts that run by themselves: of every rule once, often of the cheap ones."""
        first = {job.rule: job for job in self.jobs}
        jobs = sorted(first.values(), key=lambda job: job.seconds)[:count]
        self.counts.update(job.rule for job in jobs)
        while len(jobs) < count:
            jobs.append(min(self.jobs, key=self._cost))
            self.counts[jobs[-1].rule] += 1
        jobs.sort(key=lambda job: job.seconds)
        return [Fault(BY_HAND, job, self.random.random(), 0) for job in jobs]

    def _readers(self) -> list[Job]:
        """Jobs of one config file that no job above them reads."""
        readers: dict[str, list[Job]] = {}
        for job in self.jobs:
            above_it = [other for other in self.all if other.name in self.above[job.name]]
            if job.config and all(job.config not in other.inputs for other in above_it):
                readers.setdefault(job.config, []).append(job)
        return self.random.choice([readers[path] for path in sorted(readers)])

    def _faults(self, kinds: list[str], jobs: list[Job] | None = None) -> list[Fault]:
        faults: list[Fault] = []
        # What few jobs suit comes first, because the jobs must not depend on each other.
        for kind in sorted(kinds, key=lambda kind: kind not in PARTICULAR):
            fitting = [job for job in jobs or self.jobs if suits(kind, job, self.makers)]
            apart = [job for job in fitting if all(self._apart(job, f.job) for f in faults)]
            if apart:
                job = min(apart, key=self._cost)
                share, detail = self.random.random(), self.random.randrange(1 << 16)
                faults.append(Fault(kind, job, share, detail))
                self.counts[job.rule] += 1
            else:
                self.kind_counts[kind] -= 1
        return faults

    def _kind(self, kinds: list[str]) -> str:
        """One that has not come yet, or else has come least for its weight."""
        chosen = min(
            kinds,
            key=lambda kind: (
                self.kind_counts[kind] > 0,
                (self.kind_counts[kind] + self.random.random()) / WEIGHTS[kind],
            ),
        )
        self.kind_counts[chosen] += 1
        return chosen

    def _apart(self, one: Job, other: Job) -> bool:
        related = self.above[one.name] | self.above[other.name]
        return one.name != other.name and not {one.name, other.name} & related

    def _cost(self, job: Job) -> float:
        return (1 + self.counts[job.rule]) * job.seconds * self.random.uniform(0.5, 1.5)
