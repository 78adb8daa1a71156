"""The recorded bytes, made anew with the recorded machine's instructions."""

import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from workflow_clone import Clone

from poseloop.report.provenance.machine import read_machine

ROOT = Path(__file__).resolve().parents[1]
MADE = {
    "prepare_motion": "results/demo/motion/clips.npz",
    "render_hmr_images--validation": "results/demo/adhmr/images/validation.npz",
}

pytestmark = pytest.mark.skipif(
    "avx2" not in Path("/proc/cpuinfo").read_text(), reason="the processor has no AVX2"
)


@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")
def test_pictures_have_the_recorded_bytes(tmp_path, monkeypatch):
    """Rendering goes through the kernels of OpenBLAS, PyTorch and Embree."""
    monkeypatch.chdir(ROOT)
    if read_machine("demo")["instructions"] != "avx2":
        pytest.skip("the record is of a machine with other instructions")
    clone = Clone(tmp_path / "clone")
    clone.call("envs/avx2.sh", "snakemake", "--cores", "2", "--", *MADE.values())
    stages = yaml.load(Path("dvc.lock").read_text(), yaml.CSafeLoader)["stages"]
    for stage, path in MADE.items():
        recorded = {out["path"]: out["md5"] for out in stages[stage]["outs"]}
        assert hashlib.md5((clone.folder / path).read_bytes()).hexdigest() == recorded[path]


def test_a_missing_command_is_an_error():
    ended = subprocess.run([ROOT / "envs/avx2.sh"], capture_output=True, text=True, check=False)
    assert ended.returncode == 2 and "usage" in ended.stderr
