"""A throw-away copy of the repository, for tests that run its tools."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


class Clone:
    """Copy of all files that git tracks or would track, as a repository of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        listed = subprocess.run(
            ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for name in filter(None, listed.split("\0")):
            source = ROOT / name
            # What a demo run left in git is not part of the code under test.
            if source.is_file() and not name.startswith("results/"):
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, folder / name)
        self.call("git", "init", "--quiet")

    @property
    def environment(self) -> dict[str, str]:
        """Variables for a command in the clone: this Python's tools and the clone's library."""
        return {
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(self.folder / "src"),
            "DVC_NO_ANALYTICS": "1",
        }

    def call(self, *command: str, check: bool = True) -> subprocess.CompletedProcess:
        """Run a command in the clone, with `environment`."""
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True
        )
        if check and done.returncode:
            raise AssertionError(f"{' '.join(command)}\n{done.stdout}\n{done.stderr}")
        return done

    def planned(self, *arguments: str) -> dict[str, int]:
        """Jobs per rule that a dry run of Snakemake plans."""
        return planned_jobs(self.call("snakemake", *arguments, "-n", "-q", "host").stdout)


def planned_jobs(printed: str) -> dict[str, int]:
    """Jobs per rule of the last dry run in what was printed."""
    table = printed.split("Job stats:")[-1].split("total")[0]
    return {rule: int(count) for rule, count in re.findall(r"^(\w+) +(\d+)$", table, re.MULTILINE)}
