"""Kill scripts by themselves, without Snakemake: cheap, for imports are done once, before forking.

As a program, in the folder of a copy: reads jobs, moments and right hashes as JSON from standard
input, and prints one JSON line per attempt. Every attempt forks, runs the job's script as Snakemake
would, kills it at a share of its processor's time, looks at what is there, and runs it again.
"""

import hashlib
import importlib
import json
import os
import runpy
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
from strikes import Fault, kill_family
from workplace import RESULTS, Workplace

_POLL_S = 0.005
_TRIES = 5


def kill_scripts(place: Workplace, wanted: list[Fault], right: dict[str, str]) -> Iterator[Fault]:
    """Let `wanted` strike in a process of its own, one after the other, and yield each."""
    server = subprocess.Popen(
        [sys.executable, Path(__file__).resolve()],
        cwd=place.folder,
        env=place.environment | {"PYTHONHASHSEED": "0", "OMP_NUM_THREADS": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=place.log,
        text=True,
    )
    tasks = [
        {
            "command": fault.job.command,
            "share": fault.share,
            "seconds": fault.job.seconds,
            "right": {path: right[path] for path in fault.job.outputs},
        }
        for fault in wanted
    ]
    server.stdin.write(json.dumps(tasks))
    server.stdin.close()
    for fault in wanted:
        answer = json.loads(server.stdout.readline())
        fault.struck, fault.complaint = answer["struck"], answer["complaint"]
        yield fault
    server.wait()


def start(command: list[str]) -> int:
    """Fork, and run a script in the child; the child's number."""
    pid = os.fork()
    if pid:
        return pid
    os.setsid()
    os.dup2(2, 1)
    sys.argv = command
    code = 1
    try:
        runpy.run_path(command[0], run_name="__main__")
        code = 0
    except SystemExit as stop:
        code = stop.code or 0
    finally:
        os._exit(code)


def finish(pid: int) -> tuple[int, float]:
    """Exit code of a child, and the processor's time that it and its workers took."""
    _, status, usage = os.wait4(pid, 0)
    return os.waitstatus_to_exitcode(status), usage.ru_utime + usage.ru_stime


def kill_at(pid: int, seconds: float) -> bool:
    """Kill a child and its workers when they have used `seconds`; False where it ended before."""
    script = psutil.Process(pid)
    while script.status() != psutil.STATUS_ZOMBIE:
        family = [script, *script.children(recursive=True)]
        try:
            used = sum(sum(process.cpu_times()[:2]) for process in family)
        except psutil.Error:
            continue
        if used >= seconds:
            kill_family(script)
            return True
        time.sleep(_POLL_S)
    return False


def attempt(task: dict, moment: float) -> tuple[bool, str, float]:
    """A kill after `moment` s and one rerun: did it strike, what is wrong, the rerun's time."""
    for path in task["right"]:
        Path(path).unlink(missing_ok=True)
    pid = start(task["command"])
    struck = kill_at(pid, moment)
    finish(pid)
    wrong = [f"half-written: {path}" for path in differing(task["right"]) if Path(path).exists()]
    code, used = finish(start(task["command"]))
    if code:
        wrong.append(f"the rerun ended with exit code {code}")
    wrong += [f"wrong or missing: {path}" for path in differing(task["right"])]
    return struck, "; ".join(wrong), used


def differing(right: dict[str, str]) -> list[str]:
    """Files that are missing or not as they should be."""
    return [
        path
        for path, digest in right.items()
        if not Path(path).is_file() or hashlib.sha256(Path(path).read_bytes()).hexdigest() != digest
    ]


def main() -> None:
    """Answer the tasks on standard input."""
    from poseloop.runtime.closure import import_closure
    from poseloop.runtime.leftovers import remove_leftovers

    tasks = json.load(sys.stdin)
    for script in {task["command"][0] for task in tasks}:
        for path in import_closure(script)[1:]:
            name = ".".join(Path(path).with_suffix("").parts[1:])
            importlib.import_module(name.removesuffix(".__init__"))
    took: dict[tuple, float] = {}
    for task in tasks:
        key = tuple(task["command"])
        for late in range(_TRIES):
            moment = task["share"] * took.get(key, task["seconds"]) / 2**late
            struck, wrong, used = attempt(task, moment)
            took[key] = used
            remove_leftovers(Path(RESULTS))
            if struck or wrong:
                break
        print(json.dumps({"struck": struck, "complaint": wrong}), flush=True)


if __name__ == "__main__":
    main()
