"""What differs from one SLURM cluster to the next, and what the profile derives for the rules."""

import re
from pathlib import Path
from typing import Annotated

from pydantic import Field

from poseloop.runtime.config import Config, load_config

_RULE = re.compile(r"^rule (?P<name>\w+):(?P<body>.*?)(?=^\S|\Z)", re.MULTILINE | re.DOTALL)
_MEMORY = re.compile(r"^ +mem_mb=(?P<mem_mb>\d+)", re.MULTILINE)
Positive = Annotated[int, Field(ge=1)]


class PartitionConfig(Config):
    """Limits of a partition, by the executor plugin's names; a field left out is no limit."""

    max_gpu: int = Field(default=0, ge=0, description="GPUs that a job may have; 0: no GPUs there")
    max_runtime: Positive | None = Field(default=None, description="minutes of a job")
    max_mem_mb: Positive | None = Field(default=None, description="MB of a job")
    max_threads: Positive | None = Field(default=None, description="cores of a job")


class SiteConfig(Config):
    """profiles/slurm/site.yaml."""

    account: str | None = Field(
        description="account that pays; null: that of your last job, or your default one"
    )
    partitions: dict[str, PartitionConfig] = Field(
        description="partitions that jobs may go to; each job goes to the one that fits it best",
        min_length=1,
    )
    max_mem_mb: Positive = Field(description="MB above which no retry grows")
    max_runtime: Positive = Field(description="minutes above which no retry grows")


def load_site(path: str | Path) -> SiteConfig:
    """The cluster's description, checked.

    Raises
    ------
    UserError
        A field is unknown, missing or of the wrong kind; the message names it and the file.
    """
    return load_config(path, SiteConfig)


def memory_of_rules(folder: str | Path = "workflow/rules") -> dict[str, int]:
    """MB that each rule asks for at its first attempt, read from the rules' text.

    A profile is read before the rules are, and a value in it takes the place of the rule's; so the
    profile takes the rule's own number from here and lets it grow with the attempt.
    """
    memory = {}
    for path in sorted(Path(folder).glob("*.smk")):
        for rule in _RULE.finditer(path.read_text()):
            if found := _MEMORY.search(rule["body"]):
                memory[rule["name"]] = int(found["mem_mb"])
    return memory
