"""The whole protocol on made subjects: floors, faults, files."""

import numpy as np
import pytest
import torch
import trimesh

from poseloop.evaluate.config import EvaluateConfig, Geometry, Hull, Images, Triangulation
from poseloop.evaluate.judge import Judge
from poseloop.evaluate.metrics import describe
from poseloop.evaluate.metrics_files import read_metrics, write_metrics
from poseloop.evaluate.pose import PoseJudge
from poseloop.evaluate.protocol import (
    evaluate_samples,
    evaluate_truth,
    read_benchmark,
    read_samples,
)
from poseloop.runtime.config import load_config
from poseloop.runtime.errors import UserError
from poseloop.runtime.files import write_json, write_npz

AZIMUTHS = np.array([0, 45, 90, 180, 270, 315.0])
CONFIG = EvaluateConfig(
    seed=0,
    threads=1,
    batch=2,
    hull=Hull(resolution=32, level=0.5, softness=0.05),
    geometry=Geometry(samples=200, f_score_cm=3.0, icp_iterations=5),
    images=Images(mask_level=0.5, colour_contrast=0.25),
)


def sphere_normals(size, radius):
    """Normal views of a sphere, in the input-view frame, with a soft border."""
    centre = (np.arange(size) + 0.5) / size - 0.5
    x, y = np.meshgrid(centre, -centre)
    depth = np.sqrt(np.clip(radius**2 - x**2 - y**2, 0, None))
    local = np.stack([x, y, depth], -1)
    local /= np.maximum(np.linalg.norm(local, axis=-1, keepdims=True), 1e-9)
    cover = np.clip((radius - np.hypot(x, y)) * size + 0.5, 0, 1)[..., None]
    views = []
    for a in np.deg2rad(AZIMUTHS):
        back = np.array([[np.cos(a), 0, -np.sin(a)], [0, 1, 0], [np.sin(a), 0, np.cos(a)]])
        views.append(np.where(cover > 0, np.round(local @ back * cover * 127.5 + 127.5), 128))
    return np.stack(views).astype(np.uint8), np.repeat(cover[None, ..., 0], 6, 0)


@pytest.fixture
def benchmark():
    radii = (0.3, 0.25)
    shapes = [trimesh.creation.icosphere(subdivisions=3, radius=radius) for radius in radii]
    views = [sphere_normals(32, radius) for radius in radii]
    normal = np.stack([view[0] for view in views])
    mask = np.stack([view[1] for view in views])
    return {
        "rgb": np.where(mask[..., None] > 0.5, 90, 255).astype(np.uint8).repeat(3, -1),
        "normal": normal,
        "mask": np.round(255 * mask).astype(np.uint8),
        "joints": np.random.default_rng(0).uniform(-0.2, 0.2, (2, 24, 3)).astype(np.float32),
        "vertices": np.stack([np.array(shape.vertices) for shape in shapes]),
        "faces": np.array(shapes[0].faces),
        "metres_per_unit": np.array([2.0, 1.5], np.float32),
        "azimuths": AZIMUTHS.astype(np.float32),
    }


@pytest.fixture
def judge():
    torch.manual_seed(0)
    reading = Triangulation(
        coarse=16, fine=5, radius=2.0, floor=1e-3, depth_weight=0.5, candidates=3, slack=0.02
    )
    return PoseJudge(Judge([16, 32], 1, 16).eval(), reading, 150.0)


def test_true_views_are_near_the_floor_and_perfect_where_they_must_be(benchmark, judge):
    views = {name: benchmark[name] for name in ("rgb", "normal")}
    found = evaluate_samples(views | {"posescore": np.zeros(2)}, benchmark, judge, CONFIG)
    floor = evaluate_truth(benchmark, judge, CONFIG)
    assert found["psnr"] == [100, 100]
    assert min(found["mask_iou"]) > 0.95
    assert found["chamfer"] == floor["chamfer"]
    assert max(found["chamfer"]) < 3.0
    assert found["hull_fallback"] == [0, 0]
    assert set(floor) < set(found) and "psnr" not in floor
    assert all(len(values) == 2 for values in found.values())


def test_a_blank_sample_is_punished_and_counted(benchmark, judge):
    blank = {
        "rgb": benchmark["rgb"].copy(),
        "normal": benchmark["normal"].copy(),
        "posescore": np.zeros(2),
    }
    blank["rgb"][1], blank["normal"][1] = 255, 128
    found = evaluate_samples(blank, benchmark, judge, CONFIG)
    assert found["hull_fallback"] == [0, 1]
    assert found["chamfer"][1] > 4 * found["chamfer"][0]
    assert found["mask_iou"][1] == 0


def test_every_metric_is_described_and_files_keep_it(benchmark, judge, tmp_path):
    views = {name: benchmark[name] for name in ("rgb", "normal")}
    found = evaluate_samples(views | {"posescore": np.zeros(2)}, benchmark, judge, CONFIG)
    assert {describe(name).better for name in found} == {"higher", "lower"}
    write_metrics(tmp_path / "seed0.json", {"mixamo_like": found})
    again = read_metrics(tmp_path / "seed0.json")["mixamo_like"]
    np.testing.assert_allclose(again["chamfer"], found["chamfer"], rtol=1e-5)


@pytest.mark.parametrize("name", ["rgb", "posescore"])
def test_samples_that_do_not_fit_are_named(benchmark, tmp_path, name):
    samples = {"rgb": benchmark["rgb"], "normal": benchmark["normal"], "posescore": np.zeros(2)}
    samples[name] = samples[name][:1]
    write_npz(tmp_path / "wild_like.npz", samples)
    with pytest.raises(UserError, match=f"wild_like.npz: {name}"):
        read_samples(tmp_path / "wild_like.npz", benchmark)


def test_a_score_that_is_not_a_number_is_named(benchmark, tmp_path):
    samples = {"rgb": benchmark["rgb"], "normal": benchmark["normal"]}
    write_npz(tmp_path / "a.npz", samples | {"posescore": np.array([0, np.nan])})
    with pytest.raises(UserError, match="posescore needs 2 finite"):
        read_samples(tmp_path / "a.npz", benchmark)


def test_a_benchmark_without_a_mesh_is_named(benchmark, tmp_path):
    write_npz(tmp_path / "b.npz", {k: v for k, v in benchmark.items() if k != "faces"})
    with pytest.raises(UserError, match="b.npz: lacks the array.* faces"):
        read_benchmark(tmp_path / "b.npz")


@pytest.mark.parametrize(
    "content",
    [
        {"benchmarks": {"a": {"no_such_metric": [1.0]}}},
        {"other": 1},
        {"benchmarks": {"a": {"psnr": []}}},
    ],
)
def test_files_that_are_no_metrics_are_named(tmp_path, content):
    write_json(tmp_path / "seed0.json", content)
    with pytest.raises(UserError, match="seed0.json"):
        read_metrics(tmp_path / "seed0.json")


def test_descriptions_of_variants():
    assert describe("chamfer_icp").label == "Chamfer after ICP"
    assert describe("psnr_view090").label == "PSNR, view at 90 degrees"
    with pytest.raises(KeyError):
        describe("speed")


def test_demo_and_smoke_configs_load():
    for preset in ("demo", "smoke"):
        load_config(f"config/{preset}/evaluate.yaml", EvaluateConfig)
