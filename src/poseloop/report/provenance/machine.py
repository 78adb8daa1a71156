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
# Widest first. BLAS, PyTorch and Embree choose kernels by them, and so the last digits.
_INSTRUCTIONS = ("avx512f", "avx2", "avx", "asimd")
_DIGITS = ("processor", "instructions", "system", "python", *_PACKAGES)
_UNKNOWN = {"machine": f"not recorded; `python -m poseloop machine` writes it beside {LOCK}"}


def machine_path(preset: str) -> Path:
    """Where a preset's machine is recorded."""
    return Path("results") / preset / "machine.json"


def describe_machine() -> dict[str, str]:
    """Processor, system and versions of this machine; no name of host or user."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    told = {
        "processor": _first_line("model name") or platform.processor() or "unknown",
        "instructions": _instructions(),
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


def differences(recorded: dict[str, str]) -> list[str]:
    """What gives a job made again here other digits than on the recorded machine, each in words."""
    here = describe_machine()
    return [
        f"{name} {here.get(name, 'absent')}, recorded {recorded[name]}"
        for name in _DIGITS
        if recorded.get(name, here.get(name)) != here.get(name)
    ]


def _instructions() -> str:
    """The widest vector instructions that kernels may use; envs/avx2.sh holds them to AVX2."""
    if os.environ.get("ATEN_CPU_CAPABILITY") == "avx2":
        return "avx2"
    flags = (_first_line("flags") or _first_line("Features")).split()
    return next((name for name in _INSTRUCTIONS if name in flags), "unknown")


def _first_line(name: str) -> str:
    """What the first processor's line `name` says; empty where there is none."""
    lines = _CPUINFO.read_text().splitlines() if _CPUINFO.is_file() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(name)), "")
