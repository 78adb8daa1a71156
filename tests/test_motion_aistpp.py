"""AIST++ pickles, and the AMASS files made of them."""

import pickle
import subprocess
import sys

import numpy as np
import pytest
from tiny_body import rest_joints
from workflow_clone import ROOT

from poseloop.motion.aistpp import read_aistpp
from poseloop.motion.config import SourceConfig
from poseloop.motion.sources import read_clips
from poseloop.runtime.errors import UserError


def dance(folder, name="gBR_sBM_cAll_d04_mBR0_ch01", **changes):
    rng = np.random.default_rng(0)
    content = {
        "smpl_loss": 0.1,
        "smpl_poses": rng.normal(0, 0.3, (5, 72)),
        "smpl_trans": rng.normal(0, 90.0, (5, 3)),
        "smpl_scaling": np.array([90.0]),
        **changes,
    }
    path = folder / f"{name}.pkl"
    path.write_bytes(
        pickle.dumps({key: value for key, value in content.items() if value is not None})
    )
    return path, content


def test_path_is_in_metres_and_poses_are_smpls(tmp_path):
    path, content = dance(tmp_path)
    clip = read_aistpp("a", path)
    assert clip.fps == pytest.approx(60)
    assert np.allclose(clip.transl, content["smpl_trans"] / 90, atol=1e-6)
    assert np.allclose(clip.global_orient, content["smpl_poses"][:, :3], atol=1e-6)
    assert np.allclose(clip.body_pose[:, :63], content["smpl_poses"][:, 3:66], atol=1e-6)
    joints, _ = dance(tmp_path, "b", smpl_poses=content["smpl_poses"].reshape(5, 24, 3))
    assert np.array_equal(read_aistpp("b", joints).body_pose, clip.body_pose)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"smpl_trans": None}, r"lacks the array\(s\) smpl_trans"),
        ({"smpl_poses": np.zeros((5, 69))}, r"smpl_poses has the shape \(5, 69\), not \(T, 72\)"),
        ({"smpl_trans": np.zeros((4, 3))}, r"trans has the shape \(4, 3\), not \(5, 3\)"),
        ({"smpl_poses": np.full((5, 72), np.nan)}, "poses has values that are not finite"),
        ({"smpl_scaling": np.zeros(1)}, "smpl_scaling is not one number above 0"),
        ({"smpl_loss": print}, "builtins.print is not allowed"),
    ],
)
def test_faulty_file_is_named(tmp_path, changes, message):
    path, _ = dance(tmp_path, **changes)
    with pytest.raises(UserError, match=rf"{path.name}: .*{message}"):
        read_aistpp("a", path)


def convert(*arguments):
    command = [sys.executable, "scripts/convert_aistpp.py", *map(str, arguments)]
    environment = {"PYTHONPATH": "src"}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)


def test_converted_files_are_read_as_amass(tmp_path):
    motions, output = tmp_path / "motions", tmp_path / "amass"
    motions.mkdir()
    path, _ = dance(motions)
    dance(motions, "failed")
    (tmp_path / "ignore_list.txt").write_text("failed\n")
    done = convert(
        "--motions", motions, "--ignore", tmp_path / "ignore_list.txt", "--output", output
    )
    assert done.returncode == 0, done.stderr
    [clip] = read_clips(SourceConfig(kind="amass", path=str(output), up="y"), rest_joints())
    direct = read_aistpp(path.stem, path)
    assert clip.name == direct.name
    assert clip.fps == pytest.approx(direct.fps)
    assert np.array_equal(clip.transl, direct.transl)
    assert np.array_equal(clip.global_orient, direct.global_orient)
    assert np.array_equal(clip.body_pose[:, :63], direct.body_pose[:, :63])


def test_folder_without_motions_is_one_line_and_exit_code_2(tmp_path):
    done = convert("--motions", tmp_path, "--output", tmp_path / "out")
    assert done.returncode == 2
    assert done.stderr == f"error: {tmp_path}: no motions (*.pkl)\n"
