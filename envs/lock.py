"""Pin requirements.in: what is installed here of the named packages and of all they need.

    .venv/bin/pip install -r envs/requirements.in -r envs/slurm.in   # the versions to be tried
    .venv/bin/python envs/lock.py                                    # written to *.lock

slurm.lock holds what SLURM adds to requirements.lock. Beside each lock, <name>.sha256 holds its
pins with the hash of every file that PyPI has of them, by `uv pip compile`; setup.sh installs from
these and takes no other file. PyTorch itself is left out; setup.sh installs the build for the
machine.
"""

import re
import subprocess
import sys
import tempfile
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


def pins_of(name):
    """Pins of all that <name>.in asks for, as lines of a lock file."""
    text = (FOLDER / f"{name}.in").read_text()
    names = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [f"{name}=={version}" for name, version in sorted(closure(names).items())]


def hashed(pins):
    """The pins with the hashes of their files on PyPI, for every Python and platform."""
    with tempfile.TemporaryDirectory() as folder:
        given = Path(folder) / "pins.in"
        given.write_text("\n".join(pins) + "\n")
        command = [sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--no-deps"]
        command += ["--generate-hashes", "--universal", "--python-version", "3.11"]
        command += ["--no-header", "--no-annotate", str(given)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    return done.stdout


def write(name, pins):
    """Write <name>.lock and <name>.sha256."""
    header = f"# Written by lock.py from {name}.in; do not edit.\n"
    (FOLDER / f"{name}.lock").write_text(header + "\n".join(pins) + "\n")
    (FOLDER / f"{name}.sha256").write_text(header + hashed(pins))


def main():
    """Write the locks of requirements.in and slurm.in."""
    pins = pins_of("requirements")
    write("requirements", pins)
    write("slurm", [pin for pin in pins_of("slurm") if pin not in pins])


if __name__ == "__main__":
    main()
