"""Run a script on GPUs that no other job of this machine has: `launch COUNT SCRIPT ...`.

Snakemake counts GPUs but does not hand them out, so that two jobs would meet on the first one. Each
GPU has a lock, held until the script ends. With more than one GPU, accelerate starts a process for
each; without any, the script runs on the CPU. SLURM hands out GPUs itself: there all that are
visible are free. Imports nothing beyond the standard library: it goes before every job.
"""

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

_ACCELERATE = "--num_machines 1 --main_process_port 0 --mixed_precision no --dynamo_backend no"


def visible_gpus() -> list[str]:
    """Numbers of the GPUs that this process may use."""
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    if named is not None:
        return [name for name in named.split(",") if name]
    if shutil.which("nvidia-smi") is None:
        return []
    listed = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, check=False)
    return [str(index) for index, _ in enumerate(listed.stdout.splitlines())]


def take_gpus(count: int, gpus: list[str], folder: Path, poll_s: float = 1.0) -> list[str]:
    """Lock `count` of `gpus`, all if there are fewer; waits until so many are free.

    The locks end with this process, or with the one that takes its place by `exec`.
    """
    count = min(count, len(gpus))
    folder.mkdir(parents=True, exist_ok=True)
    while True:
        taken = {}
        for gpu in gpus:
            lock = os.open(folder / f"{gpu}.lock", os.O_CREAT | os.O_RDWR, 0o600)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(lock)
                continue
            taken[gpu] = lock
            if len(taken) == count:
                for held in taken.values():
                    os.set_inheritable(held, True)
                return list(taken)
        # Holding some while waiting for the rest could block another job that does the same.
        for lock in taken.values():
            os.close(lock)
        time.sleep(poll_s)


def command(gpus: int, script: list[str]) -> list[str]:
    """The command that runs a script with its arguments, one process for each GPU."""
    if gpus < 2:
        return [sys.executable, *script]
    launcher = [sys.executable, "-m", "accelerate.commands.launch", *_ACCELERATE.split()]
    return [*launcher, "--num_processes", str(gpus), *script]


def main() -> None:
    """Take the GPUs and become the script."""
    count, script = int(sys.argv[1]), sys.argv[2:]
    gpus = visible_gpus() if count else []
    if gpus and "SLURM_JOB_ID" not in os.environ:
        folder = Path(tempfile.gettempdir(), f"poseloop-gpus-{os.getuid()}")
        gpus = take_gpus(count, gpus, folder)
        os.environ["CUDA_VISIBLE_DEVICES"] = ",".join(gpus)
    started = command(min(count, len(gpus)), script)
    os.execv(started[0], started)


if __name__ == "__main__":
    main()
