"""Part of the smoke preset on a real SLURM of one node, with jobs that are killed on the way."""

import os
import shutil
import subprocess
import time
from importlib.util import find_spec
from pathlib import Path

import pytest
from workflow_clone import ROOT, Clone

from poseloop.runtime.files import sha256

SCRIPT = ROOT / "tests/slurm/cluster.sh"
PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "squeue")
SMOKE = ("--config", "preset=smoke")
TARGETS = ("fig_bodies", "train_judge")
# Beside the two that the judge needs: jobs of one rule that are ready at the same time.
SCANS = tuple(f"results/smoke/scans/{name}.npz" for name in ("thuman_train", "val_dynamic"))
# No data base of jobs to ask, files on one disk, and no wish to wait for the next look.
HERE = (
    *("--slurm-status-command", "squeue", "--slurm-init-seconds-before-status-checks", "2"),
    *("--seconds-between-status-checks", "2", "--latency-wait", "5"),
)
# Memory and time that the profile gives a job at its first and second attempt.
FIRST, SECOND = ("2000M", "8:00:00"), ("4000M", "16:00:00")

pytestmark = [pytest.mark.slurm, pytest.mark.slow]


def absent():
    """Why there can be no SLURM here; empty if there can."""
    if find_spec("snakemake_executor_plugin_slurm") is None:
        return "Snakemake's plugin for SLURM is not installed: make slurm"
    path = os.pathsep.join([os.environ["PATH"], "/usr/sbin", "/sbin"])
    if missing := [name for name in PROGRAMS if shutil.which(name, path=path) is None]:
        return f"no {', '.join(missing)}: as root, tests/slurm/cluster.sh install"
    return ""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """Folder of a running cluster, in which this process's commands work."""
    if reason := absent():
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("cluster")
    try:
        subprocess.run([SCRIPT, "up", folder], check=True, timeout=120)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("SLURM_CONF", str(folder / "slurm.conf"))
            patch.setenv("PATH", str(folder / "bin"), prepend=os.pathsep)
            yield folder
    finally:
        subprocess.run([SCRIPT, "down", folder], check=True, timeout=120)


def attempts():
    """SLURM's jobs, by the comment that names the rule: state, partition, memory, time limit."""
    command = ["squeue", "--states=all", "--noheader", "--sort=i", "--format=%k|%T|%P|%m|%l"]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    jobs = {}
    for comment, *job in (line.split("|") for line in lines):
        jobs.setdefault(comment.removeprefix("rule_"), []).append(tuple(job))
    return jobs


def cancel_when_running(rule, run):
    """`scancel` of the only job of a rule, once it runs; `run` is the process of Snakemake."""
    while [job[0] for job in attempts().get(rule, [])] != ["RUNNING"]:
        assert run.poll() is None, f"Snakemake ended before {rule} ran: {attempts()}"
        time.sleep(1)
    subprocess.run(["scancel", "--state=RUNNING", "--partition=gpu"], check=True)


def edit(path: Path, before: str, after: str):
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))


@pytest.fixture(scope="module")
def ran(cluster, tmp_path_factory):
    """A clone whose targets were made through SLURM, and what Snakemake wrote.

    The first job of fig_bodies hangs until its time is up, that of train_judge until `scancel`.
    """
    clone = Clone(tmp_path_factory.mktemp("slurm"))
    longer = "  longer:\n"
    edit(clone.folder / "profiles/slurm/config.yaml", longer, f"{longer}    fig_bodies: 1\n")
    for rule in TARGETS:
        (cluster / "stall" / rule).touch()
    output = clone.folder / "snakemake.txt"
    made = (*TARGETS, *SCANS)
    command = ["snakemake", *made, *SMOKE, "--workflow-profile", "profiles/slurm", *HERE]
    with output.open("w") as stream:
        run = subprocess.Popen(
            command, cwd=clone.folder, env=clone.environment, stdout=stream, stderr=stream
        )
        try:
            cancel_when_running("train_judge", run)
            status = run.wait(timeout=900)
        finally:
            run.terminate()
            run.wait()
    assert status == 0, output.read_text()
    return clone, output.read_text()


def test_jobs_go_where_their_resources_are(ran):
    jobs = attempts()
    assert {name for name, tries in jobs.items() if tries[0][1] == "gpu"} == {"train_judge"}
    assert {job[1] for name in jobs if name != "train_judge" for job in jobs[name]} == {"cpu"}
    command = ["squeue", "--states=all", "--noheader", "--Format=comment:80,tres-per-job:40"]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    asked = {line.split()[0]: line.split()[1] for line in lines}
    assert asked["rule_train_judge"] == "gres:gpu:1"
    assert asked["rule_bake_body"] == "N/A"


def test_renders_that_are_ready_together_are_one_array(ran):
    command = ["squeue", "--states=all", "--noheader", "--array", "--format=%k|%F|%K"]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    jobs = [line.split("|")[1:] for line in lines if line.startswith("rule_render_scans")]
    assert len({array for array, _ in jobs}) == 1
    assert sorted(task for _, task in jobs) == ["1", "2", "3", "4"]


def test_cancelled_job_comes_back_with_more_memory_and_time(ran):
    assert attempts()["train_judge"] == [
        ("CANCELLED", "gpu", *FIRST),
        ("COMPLETED", "gpu", *SECOND),
    ]


def test_job_out_of_time_is_submitted_again_with_more_of_it(ran):
    first, second, *rest = attempts()["fig_bodies"]
    assert first == ("TIMEOUT", "cpu", "1500M", "1:00")
    assert second[1:] == ("cpu", "3000M", "2:00")
    # A busy machine may need the third one.
    assert [second, *rest][-1][0] == "COMPLETED"


def test_results_equal_those_of_a_local_run(ran, tmp_path):
    local = Clone(tmp_path)
    local.call("snakemake", *TARGETS, *SCANS, *SMOKE)
    folders = [clone.folder / "results/smoke" for clone in (ran[0], local)]
    on_slurm, here = (
        {str(path.relative_to(folder)): sha256(path) for path in folder.rglob("*.*")}
        for folder in folders
    )
    assert {
        "scans/val_dynamic.npz",
        "figures/fig_bodies.png",
        "judge/model.safetensors",
        "judge/metrics.json",
    } <= set(here)
    assert on_slurm == here


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (
            "  gpu: {",
            "  gpux: {",
            "site.yaml: partitions.gpux: SLURM has no partition gpux; it",
        ),
        ("  gpu: {", "  far: {", "site.yaml: partitions.far.max_gpu: 1, but no node"),
        (
            "  gpu: {max_gpu: 1}\n",
            "",
            "train_judge: no partition can run it: cpu has 0 GPU(s)",
        ),
        ("max_gpu", "max_gpus", "site.yaml: partitions.gpu.max_gpus: Extra inputs"),
    ],
)
def test_nothing_is_submitted_where_a_job_could_not_run(cluster, tmp_path, before, after, expected):
    clone = Clone(tmp_path)
    edit(clone.folder / "profiles/slurm/site.yaml", before, after)
    jobs = attempts()
    done = clone.call(
        *("snakemake", "train_judge", *SMOKE, "--workflow-profile", "profiles/slurm", *HERE),
        check=False,
    )
    assert done.returncode == 2
    assert expected in done.stderr
    assert "Traceback" not in done.stderr
    assert attempts() == jobs
    assert not (clone.folder / "results").exists()
