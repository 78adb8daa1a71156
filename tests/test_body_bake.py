"""Baking people into SMPL's format."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import trimesh
from tiny_body import rest_joints, smpl_arrays

from poseloop.body.anny_source import RestShapes
from poseloop.body.bake import (
    bake,
    decimate,
    joint_regressor,
    rotation_between,
    shape_space,
    t_pose,
)
from poseloop.body.config import BodyConfig
from poseloop.body.files import read_body, write_body
from poseloop.body.joints import JOINT, PARENTS
from poseloop.body.regions import REGIONS, region_ids
from poseloop.runtime.config import load_config
from poseloop.runtime.errors import UserError

ROOT = Path(__file__).resolve().parents[1]


def people(count: int = 40) -> RestShapes:
    """People of two varying lengths, arms hanging at 45 degrees."""
    rng = np.random.default_rng(0)
    arrays = smpl_arrays()
    joints = np.tile(rest_joints(), (count, 1, 1))
    joints *= rng.uniform(0.9, 1.1, (count, 1, 1))
    joints[:, [JOINT["left_ankle"], JOINT["left_foot"]], 1] -= rng.uniform(0, 0.1, (count, 1))
    for side, sign in (("left", 1), ("right", -1)):
        arm = [JOINT[f"{side}_{name}"] for name in ("elbow", "wrist", "hand")]
        shoulder = joints[:, [JOINT[f"{side}_shoulder"]]]
        reach = np.abs(joints[:, arm, :1] - shoulder[..., :1])
        joints[:, arm] = shoulder + reach * np.sqrt(0.5) * [sign, -1, 0]
    joints += [0.3, 1.0, -0.2]
    blocks = (arrays["v_template"].reshape(24, 6, 3) - rest_joints()[:, None]).astype(float)
    vertices = (joints[:, :, None] + blocks).reshape(count, -1, 3)
    return RestShapes(vertices, joints, arrays["f"].astype(int), arrays["weights"].astype(float))


def test_t_pose_straightens_arms_and_keeps_lengths():
    shapes = people()
    vertices, joints = t_pose(shapes.vertices, shapes.joints, shapes.weights)
    assert np.allclose(joints[:, 0], 0)
    for side, sign in (("left", 1), ("right", -1)):
        arm = joints[:, JOINT[f"{side}_hand"]] - joints[:, JOINT[f"{side}_shoulder"]]
        assert (sign * arm[:, 0] > 0.5).all()
        assert np.allclose(arm[:, 1:], 0)
    bones = [(joint, PARENTS[joint]) for joint in range(1, 24)]
    for child, parent in bones:
        before = np.linalg.norm(shapes.joints[:, child] - shapes.joints[:, parent], axis=1)
        assert np.allclose(np.linalg.norm(joints[:, child] - joints[:, parent], axis=1), before)
    centres = vertices.reshape(len(joints), 24, 6, 3).mean(2)
    assert np.allclose(centres, joints)


def test_rotation_between_turns_one_direction_to_the_other():
    start = np.random.default_rng(0).normal(size=(50, 3))
    end = np.array([0.0, 0.0, 2.0])
    turns = rotation_between(start, end)
    turned = np.einsum("nab,nb->na", turns, start / np.linalg.norm(start, axis=1, keepdims=True))
    assert np.allclose(turned, [0, 0, 1])
    assert np.allclose(turns @ turns.transpose(0, 2, 1), np.eye(3))


def test_decimated_vertices_are_vertices_of_the_mesh():
    sphere = trimesh.creation.icosphere(subdivisions=4)
    kept, triangles = decimate(np.asarray(sphere.vertices), np.asarray(sphere.faces), 1000)
    assert 800 < len(triangles) <= 1000
    assert len(np.unique(kept)) == len(kept) == triangles.max() + 1
    simple = trimesh.Trimesh(sphere.vertices[kept], triangles, process=False)
    assert simple.is_watertight
    assert simple.volume == pytest.approx(sphere.volume, rel=0.02)


def test_shape_space_explains_people_of_two_causes():
    rng = np.random.default_rng(0)
    causes = rng.normal(size=(60, 2))
    vertices = rng.normal(size=(9, 3)) + np.einsum(
        "nc,cva->nva", causes, rng.normal(size=(2, 9, 3))
    )
    mean, directions, explained = shape_space(vertices, 2)
    assert explained == pytest.approx(1)
    basis = directions.reshape(-1, 2)
    betas = np.linalg.lstsq(basis, (vertices - mean).reshape(60, -1).T, rcond=None)[0]
    assert np.allclose(betas.std(1), 1)
    _, _, half = shape_space(vertices, 1)
    assert half < 0.99


def test_joint_regressor_moves_with_the_body():
    shapes = people()
    regressor, errors = joint_regressor(shapes.vertices, shapes.joints, 24)
    assert np.allclose(regressor.sum(1), 1)
    assert errors.max() < 5
    shifted = regressor @ (shapes.vertices[0] + [1.0, 2.0, 3.0])
    assert np.allclose(shifted, regressor @ shapes.vertices[0] + [1.0, 2.0, 3.0])


def test_baked_arrays_are_a_body(tmp_path):
    arrays, report = bake(people(), 10_000, 3, 24)
    write_body(tmp_path, arrays)
    body = read_body(tmp_path)
    assert body["shapedirs"].shape == (144, 3, 3)
    assert np.array_equal(body["parts"], np.repeat(np.arange(24), 6))
    assert report["people"] == 40
    assert set(report["joint_error_mm"]) == set(JOINT)


def test_regions_follow_parts_and_the_head_has_hair_behind():
    parts = np.array([JOINT[name] for name in ("left_knee", "right_hand", "spine2", "pelvis")])
    head = np.array([[0, 0.0, 0.1], [0, 0.2, 0.0], [0, 0.1, -0.1], [0, 0.12, 0.1]])
    vertices = np.concatenate([np.zeros((4, 3)), head])
    parts = np.concatenate([parts, np.full(4, JOINT["head"])]).astype(np.int8)
    names = [REGIONS[index] for index in region_ids(vertices, parts)]
    assert names == ["shin", "hand", "torso", "hips", "face", "hair", "hair", "face"]


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("faces: 7000", "faces: many", "faces"),
        ("source: anny", "source: licensed", "path"),
        ("age: [0.667, 0.9]", "age: [0.9, 0.667]", "age"),
        ("seed: 0", "seeds: 0", "seeds"),
    ],
)
def test_config_faults_name_the_field(tmp_path, old, new, named):
    text = (ROOT / "config/demo/body.yaml").read_text()
    assert old in text
    path = tmp_path / "body.yaml"
    path.write_text(text.replace(old, new))
    with pytest.raises(UserError, match=named):
        load_config(path, BodyConfig)


def bake_script(config: Path, out: Path) -> subprocess.CompletedProcess:
    command = [sys.executable, "scripts/bake_body.py", "--config", config, "--out", out]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_licensed_file_is_converted(tmp_path):
    write_body(tmp_path / "models", smpl_arrays())
    config = tmp_path / "body.yaml"
    text = (ROOT / "config/demo/body.yaml").read_text()
    text = text.replace("source: anny", "source: licensed")
    config.write_text(text.replace("path: null", f"path: {tmp_path / 'models'}"))
    assert bake_script(config, tmp_path / "out").returncode == 0
    assert np.array_equal(
        read_body(tmp_path / "out")["v_template"], read_body(tmp_path / "models")["v_template"]
    )
    config.write_text(text.replace("path: null", "path: nowhere"))
    failed = bake_script(config, tmp_path / "none")
    assert failed.returncode == 2
    assert failed.stderr.count("\n") == 1
    assert "nowhere/smpl/SMPL_NEUTRAL.npz" in failed.stderr
    assert not (tmp_path / "none").exists()


@pytest.mark.slow
def test_the_open_body(tmp_path):
    done = bake_script(ROOT / "config/demo/body.yaml", tmp_path)
    assert done.returncode == 0, done.stderr
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["joint_error_mean_mm"] < 1
    assert max(report["joint_error_mm"].values()) < 3
    assert report["explained_variance"] > 0.99
    body = read_body(tmp_path)
    mesh = trimesh.Trimesh(body["v_template"], body["f"], process=False)
    assert mesh.is_watertight
    assert mesh.volume > 0  # faces point outward
    joints = body["J_regressor"] @ body["v_template"]
    assert joints[JOINT["left_wrist"], 0] > 0.5
    assert joints[JOINT["left_foot"], 2] > joints[JOINT["left_ankle"], 2] + 0.05
