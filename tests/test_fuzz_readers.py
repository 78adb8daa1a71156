"""Every reader of files from outside, on damaged files: the short run of tests/fuzz."""

import multiprocessing
import signal
import tempfile
import time
from pathlib import Path

import pytest
from fuzz import guard, run
from fuzz.campaign import MEMORY, Campaign
from fuzz.table import READERS

from poseloop.runtime.errors import UserError

# Whichever comes first, so that all readers together take less than two minutes of one core.
_INPUTS, _CPU_SECONDS = 500, 1.0


@pytest.fixture
def case():
    """An empty folder inside an empty folder, in memory."""
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        made = Path(folder) / "case"
        made.mkdir()
        yield made


@pytest.mark.parametrize("name", READERS)
def test_a_reader_takes_whole_files_and_refuses_damaged_ones_in_one_way(name, case):
    guard.install()
    campaign = Campaign(READERS[name], case)
    assert campaign.whole
    campaign.whole_is_read()
    end, number = time.process_time() + _CPU_SECONDS, 0
    while number < _INPUTS and time.process_time() < end:
        fault = campaign.attempt(number)
        assert fault is None, f"input {number}, {fault.file}: {fault.what}"
        number += 1


def test_an_input_is_the_same_each_time(case):
    campaign = Campaign(READERS["motion-bvh"], case)
    assert campaign.input(7) == campaign.input(7)
    assert len({campaign.input(number)[1] for number in range(20)}) > 10


def _spin(folder):
    while True:
        pass


def _fill(folder):
    return bytearray(b"x") * (guard.MEGABYTES << 21)


def _write(folder):
    (folder.parent / "elsewhere").write_text("")


def _look(folder):
    return (Path(__file__).parents[1] / "Makefile").read_text()


def _run(folder):
    import os

    os.system("true")


def _crash(folder):
    raise KeyError("a")


@pytest.mark.parametrize(
    ("reader", "word"),
    [
        (_spin, "hang"),
        (_fill, "memory"),
        (_write, "writes"),
        (_look, "reads"),
        (_run, "os.system"),
        (_crash, "KeyError"),
    ],
)
def test_the_guard_sees(reader, word, case, monkeypatch):
    monkeypatch.setattr(guard, "SECONDS", 0.3 if word == "hang" else 60)
    monkeypatch.setattr(guard, "MEGABYTES", 64)
    guard.install()
    assert word in guard.attempt(reader, case)
    assert not (case.parent / "elsewhere").exists()


def test_time_that_runs_out_after_the_reader_has_ended_is_nobodys_fault(case):
    guard.install()
    assert guard.attempt(lambda folder: None, case) is None
    signal.raise_signal(signal.SIGPROF)
    (case / "free").mkdir()  # nothing is forbidden any more


def _sleep(folder):
    time.sleep(600)


@pytest.mark.parametrize("worker", [_spin, _sleep])
def test_a_worker_without_a_word_is_killed(worker, monkeypatch):
    monkeypatch.setattr(run, "_BUSY_S", 0.3)
    monkeypatch.setattr(run, "_IDLE_S", 0.3)
    context = multiprocessing.get_context("fork")
    process = context.Process(target=worker, args=(None,))
    process.start()
    run._watch(process, context.Value("q", 0))
    assert process.exitcode == -signal.SIGKILL


def _silent(folder):
    raise UserError("")


def _clear(folder):
    raise UserError("walk.bvh: truncated")


def test_a_fault_that_is_told_is_no_fault(case):
    guard.install()
    assert guard.attempt(_clear, case) is None
    assert guard.attempt(lambda folder: 1, case) is None
    assert "message" in guard.attempt(_silent, case)
