"""The machine on which the recorded results were made."""

import os
import platform
from importlib import metadata
from pathlib import Path

from poseloop.report.provenance.pipeline import LOCK, md5_of
from poseloop.runtime.files import read_json, write_json
from poseloop.runtime.pipelines import lock_of, recorded_pipelines

# Versions on which digits depend.
_PACKAGES = ("anny", "diffusers", "embreex", "numpy", "scipy", "smplx", "torch", "trimesh")
_CPUINFO = Path("/proc/cpuinfo")
_UNKNOWN = {"machine": f"not recorded; `python -m poseloop machine` writes it beside {LOCK}"}


def machine_path(preset: str) -> Path:
    """Where a preset's machine is recorded."""
    return Path("results") / preset / "machine.json"


def describe_machine() -> dict[str, str]:
    """Processor, system and versions of this machine; no name of host or user."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    told = {
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "memory": f"{memory:.0f} GiB",
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
    }
    for package in _PACKAGES:
        try:
            told[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return told


def write_machine(preset: str) -> Path:
    """Record this machine as the one on which the results of the lock files were made."""
    path = machine_path(preset)
    write_json(path, describe_machine() | _records())
    return path


def read_machine(preset: str) -> dict[str, str]:
    """The recorded machine, or a line that says why there is none.

    Raises
    ------
    UserError
        The file is not JSON.
    """
    path = machine_path(preset)
    if not path.is_file():
        return _UNKNOWN
    told = dict(read_json(path))
    for lock, md5 in _records().items():
        if told.pop(lock, None) != md5:
            told["note"] = f"recorded with another {lock}; some results may be from elsewhere"
    return told


def _records() -> dict[str, str]:
    """Lock file to its hash; that of the loops must be there."""
    return {str(lock): md5_of(lock) for lock in map(lock_of, recorded_pipelines())}


def _processor() -> str:
    lines = _CPUINFO.read_text().splitlines() if _CPUINFO.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or "unknown"
