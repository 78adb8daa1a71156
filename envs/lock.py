"""Pin requirements.in: what is installed here of the named packages and of all they need.

    .venv/bin/pip install -r envs/requirements.in   # the versions to be tried
    .venv/bin/python envs/lock.py                   # written to requirements.lock

PyTorch itself is left out; setup.sh installs the build for the machine.
"""

import re
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement

FOLDER = Path(__file__).parent
APART = {"torch"}


def canonical(name):
    """Name of a package as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def closure(names):
    """Installed versions of the packages and of what they require, by canonical name."""
    versions, waiting = {}, [Requirement(name) for name in names]
    while waiting:
        wanted = waiting.pop()
        name = canonical(wanted.name)
        installed = distribution(name)
        extras = wanted.extras or {""}
        seen = (name, frozenset(extras))
        if seen in versions:
            continue
        versions[seen] = installed.version
        for line in installed.requires or []:
            requirement = Requirement(line)
            marker = requirement.marker
            if marker is None or any(marker.evaluate({"extra": extra}) for extra in extras):
                waiting.append(requirement)
    return {name: version for (name, _), version in versions.items() if name not in APART}


def main():
    """Write requirements.lock."""
    text = (FOLDER / "requirements.in").read_text()
    names = [line for line in text.splitlines() if line and not line.startswith("#")]
    pins = [f"{name}=={version}" for name, version in sorted(closure(names).items())]
    header = "# Written by lock.py from requirements.in; do not edit.\n"
    (FOLDER / "requirements.lock").write_text(header + "\n".join(pins) + "\n")


if __name__ == "__main__":
    main()
