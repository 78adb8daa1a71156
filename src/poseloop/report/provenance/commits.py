"""In which commit a file last changed, and in which one a hash was recorded."""

import subprocess
from collections.abc import Iterable

from poseloop.runtime.pipelines import TARGETS, lock_of

_MARK = "\x01"


def last_commits(paths: Iterable[str]) -> dict[str, str]:
    """Path to the short name of the last commit that changed it; files outside git have none."""
    wanted, found = set(paths), {}
    commit = ""
    for line in _git("log", f"--format={_MARK}%h", "--name-only").splitlines():
        if line.startswith(_MARK):
            commit = line[1:]
        elif line in wanted:
            found.setdefault(line, commit)
    return found


def recorded_commits() -> dict[str, str]:
    """Hash to the short name of the last commit that wrote it into a lock file."""
    found: dict[str, str] = {}
    commit = ""
    locks = [str(lock_of(file)) for file in TARGETS]
    for line in _git("log", "-p", "-U0", f"--format={_MARK}%h", "--", *locks).splitlines():
        if line.startswith(_MARK):
            commit = line[1:]
        elif line.startswith("+") and "md5:" in line:
            found.setdefault(line.split()[-1], commit)
    return found


def changed_files() -> set[str]:
    """Tracked files whose content is not that of the last commit."""
    return set(_git("diff", "HEAD", "--name-only").splitlines())


def head() -> str:
    """Short name of the commit that is checked out; empty outside git."""
    return _git("rev-parse", "--short", "HEAD").strip()


def _git(*arguments: str) -> str:
    """What git prints; nothing where there is no git or no repository."""
    try:
        done = subprocess.run(["git", *arguments], capture_output=True, text=True)
    except FileNotFoundError:
        return ""
    return done.stdout if done.returncode == 0 else ""
