"""The table of frames, splits, selection and spread."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tiny_body import rest_joints, smpl_arrays
from tiny_motion import deepmimic_rows, write_deepmimic

from poseloop.body.files import write_body
from poseloop.motion.augment import mirror_pose
from poseloop.motion.clips import prepare
from poseloop.motion.config import MotionConfig
from poseloop.motion.selection import farthest_point, root_align
from poseloop.motion.statistics import joint_spread, mean_spread
from poseloop.runtime.errors import UserError
from poseloop.runtime.files import read_npz

ROOT = Path(__file__).resolve().parents[1]
REST = rest_joints()


def config(folder, **changes) -> MotionConfig:
    clips = {name: deepmimic_rows(4, seed) for seed, name in enumerate(("walk", "jump", "kick"))}
    write_deepmimic(folder, clips)
    content = {
        "sources": [{"kind": "deepmimic", "path": str(folder)}],
        "splits": {"val": ["jump"], "test": ["kick"]},
        "fps": None,
        "mirror": True,
        **changes,
    }
    return MotionConfig.model_validate(content)


def test_table_of_frames(tmp_path):
    arrays, report = prepare(config(tmp_path), REST)
    assert len(arrays["frame"]) == 2 * 3 * 4
    split = dict(zip(arrays["clip"].tolist(), arrays["split"].tolist(), strict=True))
    assert split == {"walk": "train", "jump": "val", "kick": "test"}
    of_walk = arrays["clip"] == "walk"
    plain, mirrored = (of_walk & (arrays["mirrored"] == side) for side in (False, True))
    orient, pose = mirror_pose(arrays["global_orient"][plain], arrays["body_pose"][plain])
    assert np.array_equal(arrays["global_orient"][mirrored], orient)
    assert np.array_equal(arrays["body_pose"][mirrored], pose)
    assert np.allclose(arrays["transl"][mirrored, 0], -arrays["transl"][plain, 0])
    assert arrays["frame"][plain].tolist() == [0, 1, 2, 3]
    assert report["walk"]["error"]["limb_deg_max"] < 3
    assert arrays["body_pose"].dtype == np.float32


def test_one_rate_and_no_mirror(tmp_path):
    arrays, _ = prepare(config(tmp_path, fps=60, mirror=False), REST)
    assert (arrays["fps"] == 60).all()
    assert len(arrays["frame"]) == 3 * 7
    assert not arrays["mirrored"].any()


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"splits": {"val": [], "test": ["waltz"]}}, "splits.test: no clip waltz"),
        ({"splits": {"val": ["kick"], "test": ["kick"]}}, "kick: in two splits"),
        ({"sources": [{"kind": "bvh"}]}, "path"),
        ({"fps": 0}, "fps"),
    ],
)
def test_faulty_config(tmp_path, changes, named):
    with pytest.raises((UserError, ValueError), match=named):
        prepare(config(tmp_path, **changes), REST)


def test_two_clips_of_one_name(tmp_path):
    source = {"kind": "deepmimic", "path": str(tmp_path)}
    with pytest.raises(UserError, match="two clips are called jump"):
        prepare(config(tmp_path, sources=[source, source]), REST)


def test_script_writes_everything_or_nothing(tmp_path):
    write_body(tmp_path / "body", smpl_arrays())
    text = (ROOT / "config/demo/motion.yaml").read_text()
    write_deepmimic(tmp_path, {name: deepmimic_rows(4) for name in ("jump", "kick", "walk")})
    text = text.replace("path: null", f"path: {tmp_path}")
    text = text.replace("[punch, kick, cartwheel, spinkick, dance_a]", "[kick]")
    text = text.replace("val: [jump, run]", "val: [jump]")
    settings = tmp_path / "motion.yaml"

    def call(content: str) -> subprocess.CompletedProcess:
        settings.write_text(content)
        out = [f"--clips={tmp_path}/out/clips.npz", f"--report={tmp_path}/out/report.json"]
        command = [sys.executable, "scripts/prepare_motion.py", "--config", settings, *out]
        command += ["--body", tmp_path / "body/smpl/SMPL_NEUTRAL.pkl"]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    failed = call(text.replace("[kick]", "[waltz]"))
    assert failed.returncode == 2
    assert "splits.test: no clip waltz" in failed.stderr
    assert failed.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()
    assert call(text).returncode == 0
    first = (tmp_path / "out/clips.npz").read_bytes()
    assert set(json.loads((tmp_path / "out/report.json").read_text())) == {"jump", "kick", "walk"}
    assert len(read_npz(tmp_path / "out/clips.npz")["clip"]) == 2 * 3 * 7
    assert call(text).returncode == 0
    assert (tmp_path / "out/clips.npz").read_bytes() == first


def test_farthest_point_takes_extremes_first():
    line = np.zeros((6, 24, 3))
    line[:, 5, 0] = [0.0, 0.1, 1.0, 0.5, 0.45, 0.1]
    assert farthest_point(line, 4).tolist() == [0, 2, 3, 1]
    assert sorted(farthest_point(line, 6, start=3).tolist()) == list(range(6))
    with pytest.raises(ValueError, match="7 poses asked of 6"):
        farthest_point(line, 7)


def test_farthest_point_covers_better_than_chance():
    rng = np.random.default_rng(0)
    joints = root_align(rng.normal(size=(300, 24, 3)) * rng.choice([0.1, 1.0], (300, 1, 1)))

    def cover(chosen):
        flat = joints.reshape(300, -1)
        return np.linalg.norm(flat[:, None] - flat[chosen][None], axis=-1).min(1).max()

    assert cover(farthest_point(joints, 150)) < 0.9 * cover(rng.permutation(300)[:150])


def test_spread_is_a_standard_deviation():
    rng = np.random.default_rng(0)
    joints = rng.normal(0, 0.2, (20_000, 24, 3))
    assert np.allclose(joint_spread(joints), 0.2 * np.sqrt(3), rtol=0.02)
    aligned = root_align(joints)
    assert joint_spread(aligned)[0] == 0
    assert mean_spread(2 * aligned) == pytest.approx(2 * mean_spread(aligned))
