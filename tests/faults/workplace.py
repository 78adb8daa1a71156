"""A copy of a finished run on a small disk of its own, where things may go wrong."""

import hashlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import psutil

RESULTS = "results/smoke"
PRESET = ("--config", "preset=smoke")
_SPARE_MB = 200


def hashes(folder: Path) -> dict[str, str]:
    """Digest of every file of the results, by its path in the folder."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted((folder / RESULTS).rglob("*"))
        if path.is_file()
    }


class Workplace:
    """A copy of the folder `unbroken` at `folder`, a disk of its own where that can be had.

    `options` go to every call of Snakemake.
    """

    def __init__(self, unbroken: Path, folder: Path, options: Iterable[str] = ()) -> None:
        self.folder, self.options = folder, tuple(options)
        folder.mkdir(parents=True)
        self.mounted = self._mount(unbroken)
        shutil.copytree(
            unbroken,
            folder,
            symlinks=True,
            dirs_exist_ok=True,
            ignore=shutil.ignore_patterns(".git", ".venv", "__pycache__"),
        )
        self.log = (folder.parent / f"{folder.name}.log").open("ab")

    def _mount(self, unbroken: Path) -> bool:
        """A disk that can be filled without harm to the machine; only root may mount one."""
        size = sum(path.lstat().st_blocks for path in unbroken.rglob("*")) // 2048 + _SPARE_MB
        command = ["mount", "-t", "tmpfs", "-o", f"size={size}m", "faults", self.folder]
        return subprocess.run(command, capture_output=True).returncode == 0

    @property
    def environment(self) -> dict[str, str]:
        """Variables of a command: this Python's tools, the copy's library, its own checkpoints."""
        kept = {name: value for name, value in os.environ.items() if name != "POSELOOP_SCRATCH"}
        return kept | {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(self.folder / "src"),
            "MPLCONFIGDIR": str(self.folder / ".scratch/matplotlib"),
        }

    def start(self, *command: str) -> subprocess.Popen:
        """Start a command in a session of its own; what it prints goes to the log."""
        self.log.write(f"\n$ {' '.join(map(str, command))}\n".encode())
        self.log.flush()
        return subprocess.Popen(
            command,
            cwd=self.folder,
            env=self.environment,
            stdout=self.log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def snakemake(self, *arguments: str) -> subprocess.Popen:
        """Start Snakemake on one core."""
        return self.start("snakemake", "--cores", "1", *PRESET, *self.options, *arguments)

    def remove(self, paths: Iterable[str]) -> None:
        """Remove files, if they are there."""
        for path in paths:
            (self.folder / path).unlink(missing_ok=True)

    def fill(self) -> None:
        """Take what is left of the disk, while others may write to it too."""
        with (self.folder / "filler").open("wb", buffering=0) as file:
            for size in (1 << 20, 1 << 12):
                with suppress(OSError):
                    while file.write(bytes(size)):
                        pass

    def free(self) -> None:
        """Give it back."""
        self.remove(["filler"])

    def processes(self) -> list[psutil.Process]:
        """Processes that work in the folder."""
        found = []
        for process in psutil.process_iter():
            try:
                if Path(process.cwd()) == self.folder:
                    found.append(process)
            except (psutil.Error, OSError):
                continue
        return found

    def close(self) -> None:
        """End what still runs in the folder, and remove it."""
        for process in self.processes():
            process.send_signal(signal.SIGKILL)
            process.wait()
        self.log.close()
        if self.mounted:
            subprocess.run(["umount", self.folder], check=True)
        shutil.rmtree(self.folder)
