"""GPUs are handed out: each to one job at a time."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from poseloop.runtime.launch import command, take_gpus

SOURCE = Path(__file__).parents[1] / "src"
TELL = "import os, sys; print(os.environ.get('CUDA_VISIBLE_DEVICES'), *sys.argv[1:], flush=True)"


@pytest.fixture
def machine(tmp_path):
    """A machine with two GPUs, of which nvidia-smi alone knows."""
    tool = tmp_path / "bin/nvidia-smi"
    tool.parent.mkdir()
    tool.write_text("#!/bin/sh\necho 'GPU 0: a'\necho 'GPU 1: b'\n")
    tool.chmod(0o755)
    left_out = ("CUDA_VISIBLE_DEVICES", "SLURM_JOB_ID")
    environment = {name: value for name, value in os.environ.items() if name not in left_out}
    path = f"{tool.parent}:{environment['PATH']}"
    return environment | {"PATH": path, "TMPDIR": str(tmp_path), "PYTHONPATH": str(SOURCE)}


def start(machine, folder, count, *then):
    script = folder / "script.py"
    script.write_text("\n".join([TELL, *then]))
    words = [sys.executable, "-m", "poseloop.runtime.launch", str(count), str(script), "--a", "b"]
    return subprocess.Popen(
        words, env=machine, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def test_jobs_side_by_side_get_gpus_of_their_own(machine, tmp_path):
    jobs = [start(machine, tmp_path, 1, "input()") for _ in range(2)]
    seen = {job.stdout.readline() for job in jobs}
    assert seen == {"0 --a b\n", "1 --a b\n"}
    waiting = start(machine, tmp_path, 1)
    with pytest.raises(subprocess.TimeoutExpired):
        waiting.wait(2)
    jobs[0].communicate("\n")
    assert waiting.communicate()[0] in seen
    jobs[1].communicate("\n")


def test_a_killed_job_leaves_its_gpu_to_the_next(machine, tmp_path):
    one_gpu = machine | {"CUDA_VISIBLE_DEVICES": "1"}
    job = start(one_gpu, tmp_path, 1, "input()")
    assert job.stdout.readline() == "1 --a b\n"
    job.kill()
    assert start(one_gpu, tmp_path, 1).communicate(timeout=60)[0] == "1 --a b\n"


def test_slurm_and_the_user_have_the_last_word(machine, tmp_path):
    given = machine | {"SLURM_JOB_ID": "1", "CUDA_VISIBLE_DEVICES": "5"}
    assert start(given, tmp_path, 1).communicate()[0] == "5 --a b\n"
    assert start(machine | {"CUDA_VISIBLE_DEVICES": ""}, tmp_path, 1).communicate()[0] == " --a b\n"
    assert start(machine, tmp_path, 0).communicate()[0] == "None --a b\n"


def test_fewer_gpus_than_asked_for_are_all_taken(tmp_path):
    assert take_gpus(4, ["3", "7"], tmp_path) == ["3", "7"]


def test_more_than_one_gpu_is_a_process_each():
    assert command(1, ["a.py", "--b"]) == [sys.executable, "a.py", "--b"]
    started = command(2, ["a.py", "--b"])
    assert started[1:3] == ["-m", "accelerate.commands.launch"]
    assert started[-4:] == ["--num_processes", "2", "a.py", "--b"]
