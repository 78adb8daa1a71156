"""The recorded bytes, made anew with the recorded machine's instructions."""

import shutil
import subprocess
from pathlib import Path

import pytest
from workflow_clone import Clone

from poseloop.report.provenance.machine import describe_machine, read_machine
from poseloop.report.provenance.pipeline import md5_of, read_pipeline

ROOT = Path(__file__).resolve().parents[1]
MADE = {
    "prepare_motion": "results/demo/motion/clips.npz",
    "render_hmr_images--validation": "results/demo/adhmr/images/validation.npz",
}

pytestmark = pytest.mark.skipif(
    describe_machine()["instructions"] not in ("avx2", "avx512f"),
    reason="the processor has no AVX2",
)


@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")
def test_pictures_have_the_recorded_bytes(tmp_path, monkeypatch):
    """Rendering goes through the kernels of OpenBLAS, PyTorch and Embree."""
    monkeypatch.chdir(ROOT)
    if read_machine("demo")["instructions"] != "avx2":
        pytest.skip("the record is of a machine with other instructions")
    clone = Clone(tmp_path / "clone")
    clone.call("envs/avx2.sh", "snakemake", "--cores", "2", "--", *MADE.values())
    stages = read_pipeline().stages
    for stage, path in MADE.items():
        assert md5_of(clone.folder / path) == stages[stage].outputs[path]


def test_a_missing_command_is_an_error():
    ended = subprocess.run([ROOT / "envs/avx2.sh"], capture_output=True, text=True, check=False)
    assert ended.returncode == 2 and "usage" in ended.stderr
