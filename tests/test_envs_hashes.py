"""What set-up installs is what the locks name, and each file's hash is known beforehand."""

import re
from pathlib import Path

import pytest

ENVS = Path(__file__).resolve().parents[1] / "envs"


def pins(text):
    return re.findall(r"(?m)^([a-z0-9][\w.-]*==[^\s;\\]+)", text)


@pytest.mark.parametrize("name", ["requirements", "slurm"])
def test_every_pin_has_hashes(name):
    hashed = (ENVS / f"{name}.sha256").read_text()
    assert pins(hashed) == pins((ENVS / f"{name}.lock").read_text())
    for entry in re.split(r"(?m)^(?=[a-z0-9])", hashed)[1:]:
        assert re.search(r"--hash=sha256:[0-9a-f]{64}\b", entry), entry


def test_setup_takes_no_file_without_its_hash():
    setup = (ENVS / "setup.sh").read_text()
    assert "--require-hashes --no-deps -r envs/requirements.sha256" in setup
