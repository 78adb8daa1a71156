"""Carved meshes are measured as the hulls are, and so are the hulls beside them."""

import numpy as np
import pytest
import trimesh

from poseloop.evaluate.carving import carving_metrics, summarise_starts
from poseloop.evaluate.config import EvaluateConfig
from poseloop.evaluate.protocol import shape_metrics
from poseloop.reconstruct.subject import Carved
from poseloop.render.cameras import Camera
from poseloop.render.raycast import cast
from poseloop.runtime.config import load_config

AZIMUTHS = np.array([0.0, 45.0, 90.0, 180.0, 270.0, 315.0])
SIZE = 32


def carved(mesh, trials):
    return Carved(
        np.asarray(mesh.vertices, np.float32),
        np.asarray(mesh.faces, np.int32),
        np.zeros((len(mesh.vertices), 3), np.uint8),
        np.asarray(0.8 * mesh.vertices, np.float32),
        np.array([[*trials, min(trials)]], np.float32),
    )


@pytest.fixture(scope="module")
def ball():
    return trimesh.creation.icosphere(3, radius=0.3)


def test_hulls_have_the_values_of_the_main_tables(ball):
    config = load_config("config/demo/evaluate.yaml", EvaluateConfig)
    hits = cast(ball.vertices, ball.faces, [Camera(float(a)) for a in AZIMUTHS], SIZE)
    normal = np.full((len(AZIMUTHS) * SIZE**2, 3), 128, np.uint8)
    facing = hits.interpolate(np.asarray(ball.vertex_normals, np.float32), ball.faces)
    normal[hits.pixel] = np.rint(facing * 127.5 + 127.5)
    normal = np.repeat(normal.reshape(1, len(AZIMUTHS), SIZE, SIZE, 3), 3, axis=0)
    rgb = np.where((normal != 128).any(-1, keepdims=True), 0, 255).astype(np.uint8)
    rgb = np.repeat(rgb, 3, axis=-1)
    benchmark = {
        "vertices": np.repeat(np.asarray(ball.vertices)[None], 3, axis=0),
        "faces": np.asarray(ball.faces),
        "metres_per_unit": np.full(3, 2.0),
        "azimuths": AZIMUTHS,
    }
    meshes = {0: carved(ball, (0.4, 0.5)), 2: carved(ball, (0.6, 0.3))}
    found = carving_metrics(meshes, rgb, normal, benchmark, config)
    all_hulls = shape_metrics(rgb, normal, benchmark, config)
    for metric in ("chamfer", "normal_consistency", "p2s_icp"):
        assert found["hull"][metric] == [all_hulls[metric][0], all_hulls[metric][2]]
    # The carved mesh is the truth; the body is a fifth smaller, 0.06 of 2 m.
    assert max(found["carving"]["p2s"]) < 0.01
    assert found["body"]["s2p"] == pytest.approx([12.0, 12.0], abs=0.2)


def test_starts_are_counted_by_the_trial_that_won(ball):
    meshes = [carved(ball, (0.4, 0.5)), carved(ball, (0.6, 0.3)), carved(ball, (0.5, np.inf))]
    assert summarise_starts(meshes) == {
        "library": {"tried": 3, "chosen": 2, "loss": 0.5},
        "estimate": {"tried": 2, "chosen": 1, "loss": 0.4},
    }
    assert summarise_starts([]) == {}
