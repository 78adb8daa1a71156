"""Progress of running jobs, read from logs that tqdm wrote."""

import ast
import os
import signal
import subprocess
import sys
from pathlib import Path

from poseloop.runtime.progress import Progress, read_progress, running

ROOT = Path(__file__).resolve().parents[1]
BAR = " 86%|████████▋ | 233/270 [05:00<00:48,  1.31s/it]"


def test_the_last_step_of_a_log_counts(tmp_path):
    log = tmp_path / "finetune" / "ours" / "seed0.log"
    log.parent.mkdir(parents=True)
    log.write_text(f"a warning\n\r 10%|# | 27/270 [00:30<04:00, 1.1it/s]\r{BAR}")
    found = read_progress(log, tmp_path)
    assert found == Progress("finetune/ours/seed0", 233, 270, "00:48", "1.31s/it")
    assert "86%" in found.line() and "00:48 left" in found.line()


def test_a_log_without_steps_or_cut_in_a_character_is_no_fault(tmp_path):
    log = tmp_path / "a.log"
    log.write_text("rendering\n")
    assert read_progress(log, tmp_path) is None
    log.write_bytes(b"\xe2\x96" * 3000 + BAR.encode())
    assert read_progress(log, tmp_path).step == 233
    log.write_text("0/0 [00:00<?, ?it/s]")
    assert read_progress(log, tmp_path) is None


def test_ended_and_silent_jobs_are_not_running(tmp_path):
    for name, text in (("runs", BAR), ("ended", BAR.replace("233/", "270/")), ("silent", BAR)):
        (tmp_path / f"{name}.log").write_text(text)
    os.utime(tmp_path / "silent.log", (1.0, 1.0))
    assert [progress.job for progress in running(tmp_path, 60.0)] == ["runs"]


def test_the_workflow_s_format_gives_plain_lines(tmp_path):
    rules = (ROOT / "workflow/rules/common.smk").read_text()
    [line] = [line for line in rules.splitlines() if "TQDM_BAR_FORMAT" in line]
    # As Snakemake formats it.
    command = ast.literal_eval(line.strip().rstrip(",")).format()
    code = "from tqdm import trange\nfor _ in trange(3, mininterval=0): pass"
    log = tmp_path / "job.log"
    with log.open("w") as file:
        subprocess.run(
            ["bash", "-c", f'{command} "$0" -c "$1"', sys.executable, code], stderr=file, check=True
        )
    lines = [line.strip() for line in log.read_text().splitlines() if line.strip()]
    assert {line.partition(" ")[0] for line in lines} == {"0/3", "1/3", "2/3", "3/3"}
    assert read_progress(log, tmp_path).step == 3


def test_following_ends_quietly_at_ctrl_c(tmp_path):
    log = tmp_path / "logs/demo/finetune.log"
    for folder in (log.parent, tmp_path / "config/demo"):
        folder.mkdir(parents=True)
    (tmp_path / "config/demo/study.yaml").touch()
    log.write_text(BAR)
    follower = subprocess.Popen(
        [sys.executable, "-m", "poseloop", "progress", "--follow", "60"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert "finetune" in follower.stdout.readline()
    follower.send_signal(signal.SIGINT)
    assert follower.communicate(timeout=60)[1] == ""
    assert follower.returncode == -signal.SIGINT  # which a shell calls 130
