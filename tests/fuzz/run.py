"""The scheduled run: as many inputs for each reader as asked for, taken up where it stopped.

    python tests/fuzz/run.py --count 100000              # every reader
    python tests/fuzz/run.py --reader motion-bvh --count 100000
    python tests/fuzz/run.py --reader motion-bvh --number 4711 --keep 4711.bvh

State and faults are in `--folder`: <reader>.json says how far it came and how fast, faults.jsonl
holds one line for each fault; `--table` sums them up. Of readers with a state those come first that
soon have their count. They run in a process apart, so that one which is killed (for memory, by a
crash of a library in C, for silence) is a fault as well and the rest goes on.
"""

import argparse
import json
import multiprocessing
import sys
import tempfile
import time
from multiprocessing.process import BaseProcess
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from fuzz import guard  # noqa: E402
from fuzz.campaign import MEMORY, Campaign, Fault  # noqa: E402
from fuzz.table import READERS  # noqa: E402

# Of the processor's time, and of the clock's with next to none of the former: a machine that has
# other work as well may be slow to run anything.
_BUSY_S, _IDLE_S, _LITTLE_S = 60.0, 300.0, 0.1
_SAVE_EVERY = 200
# Beyond what the first inputs took: caches fill, but nothing may go on growing.
_DRIFT_MEGABYTES = 128
_WARM = 200


def main() -> int:
    """Run until every reader has its count, or the time is up; 1 if there are faults."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--reader", nargs="*", help="names or beginnings of names; all if left out")
    parser.add_argument("--count", type=int, default=100_000, help="inputs for each reader in all")
    parser.add_argument("--seconds", type=float, help="stop after so many seconds")
    parser.add_argument("--folder", type=Path, default=Path(".scratch/fuzz"), help="of the state")
    parser.add_argument("--table", type=Path, help="write what every reader has had as CSV")
    parser.add_argument("--number", type=int, help="read this one input here, unguarded")
    parser.add_argument("--keep", type=Path, help="write that input's file to this path")
    arguments = parser.parse_args()
    begins = tuple(arguments.reader or [""])
    names = [name for name in READERS if name.startswith(begins)]
    if not names:
        parser.error(f"--reader: none of {', '.join(READERS)}")
    if arguments.number is not None:
        return _one(names[0], arguments.number, arguments.keep)
    arguments.folder.mkdir(parents=True, exist_ok=True)
    end = time.monotonic() + (arguments.seconds or 1e9)
    faults = 0
    for name in sorted(names, key=lambda name: _left(name, arguments.count, arguments.folder)):
        faults += _run(name, arguments.count, arguments.folder, end)
        print(_line(name, arguments.folder), flush=True)
        if arguments.table:
            _write_table(arguments.table, arguments.folder)
    return int(faults > 0)


def _one(name: str, number: int, keep: Path | None) -> int:
    with tempfile.TemporaryDirectory() as folder:
        case = Path(folder) / "case"
        case.mkdir()
        campaign = Campaign(READERS[name], case)
        path, data = campaign.input(number)
        if keep:
            keep.write_bytes(data)
        path.write_bytes(data)
        READERS[name].read(case)
    return 0


def _run(name: str, count: int, folder: Path, end: float) -> int:
    """Faults of one reader in all."""
    state = _state(name, folder)
    context = multiprocessing.get_context("fork")
    while state["done"] < count and time.monotonic() < end:
        at = context.Value("q", state["done"])
        worker = context.Process(target=_work, args=(name, state, count, folder, end, at))
        worker.start()
        _watch(worker, at)
        state = _state(name, folder)
        if worker.exitcode:
            what = f"killed: the process ended with {worker.exitcode}"
            _note(folder, name, Fault(at.value, "", what))
            state["done"], state["faults"] = at.value + 1, state["faults"] + 1
            _save(name, folder, state)
    return state["faults"]


def _watch(worker: BaseProcess, at: "Synchronized[int]") -> None:
    """Wait until the worker ends; kill it where it is busy or idle for too long with one input."""
    process, last, told, used = psutil.Process(worker.pid), -1, 0.0, 0.0
    while worker.is_alive():
        now, busy = time.monotonic(), sum(process.cpu_times()[:2])
        if at.value != last:
            last, told, used = at.value, now, busy
        elif busy - used > _BUSY_S or (now - told > _IDLE_S and busy - used < _LITTLE_S):
            worker.kill()
        worker.join(1)


def _work(
    name: str, state: dict, count: int, folder: Path, end: float, at: "Synchronized[int]"
) -> None:
    guard.install()
    with tempfile.TemporaryDirectory(dir=MEMORY) as made:
        case = Path(made) / "case"
        case.mkdir()
        campaign = Campaign(READERS[name], case)
        campaign.whole_is_read()
        warm, begun, start = 0, time.process_time(), state["done"]
        for number in range(start, count):
            at.value = number
            if fault := campaign.attempt(number):
                _note(folder, name, fault)
                state["faults"] += 1
            state["done"] = number + 1
            if number - start == _WARM:
                warm = guard.resident()
            saving = state["done"] % _SAVE_EVERY == 0 or state["done"] == count
            if saving or time.monotonic() > end:
                state["cpu_seconds"] += time.process_time() - begun
                begun = time.process_time()
                _save(name, folder, state)
            if time.monotonic() > end:
                break
        grown = guard.resident() - warm >> 20 if warm else 0
        state["grown_megabytes"] = max(state["grown_megabytes"], grown)
        if grown > _DRIFT_MEGABYTES:
            what = f"memory: grew by {grown} MB from input {start + _WARM} on"
            _note(folder, name, Fault(state["done"], "", what))
            state["faults"] += 1
        _save(name, folder, state)


def _state(name: str, folder: Path) -> dict:
    path = folder / f"{name}.json"
    if path.is_file():
        return json.loads(path.read_text())
    return {"done": 0, "faults": 0, "cpu_seconds": 0.0, "grown_megabytes": 0}


def _left(name: str, count: int, folder: Path) -> float:
    """CPU seconds until a reader has its count, as far as its state can say."""
    state = _state(name, folder)
    return (count - state["done"]) * state["cpu_seconds"] / max(state["done"], 1)


def _save(name: str, folder: Path, state: dict) -> None:
    (folder / f"{name}.json").write_text(json.dumps(state))


def _note(folder: Path, name: str, fault: Fault) -> None:
    line = {"reader": name, "number": fault.number, "file": fault.file, "what": fault.what}
    with (folder / "faults.jsonl").open("a") as stream:
        stream.write(json.dumps(line) + "\n")
    print(f"{name} {fault.number}: {fault.what}", flush=True)


def _write_table(path: Path, folder: Path) -> None:
    """A line for each reader that has had inputs."""
    states = {name: _state(name, folder) for name in READERS}
    rows = [
        f"{name},{state['done']},{state['faults']},{state['grown_megabytes']},"
        f"{1000 * state['cpu_seconds'] / state['done']:.2f}\n"
        for name, state in states.items()
        if state["done"]
    ]
    path.write_text("reader,inputs,faults,grown_mb,cpu_ms_each\n" + "".join(rows))


def _line(name: str, folder: Path) -> str:
    state = _state(name, folder)
    rate = state["done"] / state["cpu_seconds"] if state["cpu_seconds"] else 0
    return (
        f"{name}: {state['done']} inputs, {state['faults']} faults, {rate:.0f} per CPU second, "
        f"grew by {state['grown_megabytes']} MB"
    )


if __name__ == "__main__":
    sys.exit(main())
