"""Surface distances: known answers, units, alignment."""

import numpy as np
import pytest
import trimesh
from scipy.spatial.transform import Rotation

from poseloop.evaluate.config import Geometry
from poseloop.evaluate.geometry import TrueSurface, icp
from poseloop.evaluate.hull import Mesh

CONFIG = Geometry(samples=1000, f_score_cm=3.0, icp_iterations=30)


def rng():
    return np.random.default_rng(0)


def sphere(radius):
    shape = trimesh.creation.icosphere(subdivisions=4, radius=radius)
    return np.array(shape.vertices), np.array(shape.faces)


def bumpy():
    """A body without symmetries: three boxes of different sizes."""
    parts = [
        trimesh.creation.box(extents, trimesh.transformations.translation_matrix(place))
        for extents, place in (
            ((0.2, 0.6, 0.1), (0, 0, 0)),
            ((0.3, 0.1, 0.1), (0.2, 0.2, 0)),
            ((0.1, 0.1, 0.25), (0, -0.3, 0.1)),
        )
    ]
    mesh = trimesh.util.concatenate(parts)
    return np.array(mesh.vertices), np.array(mesh.faces)


def test_concentric_spheres_are_apart_by_the_radius_difference_in_centimetres():
    truth = TrueSurface(*sphere(0.3), 2.0, CONFIG, rng())
    found = truth.compare(Mesh(*sphere(0.32)), rng())
    for name in ("chamfer", "p2s", "s2p", "chamfer_icp"):
        assert found[name] == pytest.approx(0.02 * 200, rel=0.01)
    assert found["normal_consistency"] == pytest.approx(1, abs=0.01)
    assert found["f_score"] == 0


def test_a_surface_agrees_with_itself():
    truth = TrueSurface(*bumpy(), 2.0, CONFIG, rng())
    found = truth.compare(Mesh(*bumpy()), np.random.default_rng(1))
    assert found["chamfer"] == pytest.approx(0, abs=1e-6)
    assert found["f_score"] == pytest.approx(100)


def test_p2s_and_s2p_tell_a_missing_part_from_an_extra_one():
    box = trimesh.creation.box((0.2, 0.6, 0.1))
    whole, part = bumpy(), (np.array(box.vertices), np.array(box.faces))
    missing = TrueSurface(*whole, 2.0, CONFIG, rng()).compare(Mesh(*part), rng())
    extra = TrueSurface(*part, 2.0, CONFIG, rng()).compare(Mesh(*whole), rng())
    assert missing["s2p"] > 3 * missing["p2s"]
    assert extra["p2s"] > 3 * extra["s2p"]


def test_normals_turned_inside_out_are_seen():
    vertices, faces = sphere(0.3)
    truth = TrueSurface(vertices, faces, 2.0, CONFIG, rng())
    found = truth.compare(Mesh(vertices, faces[:, ::-1]), rng())
    assert found["normal_consistency"] == pytest.approx(-1, abs=0.01)


def test_icp_recovers_a_rigid_motion():
    vertices, faces = bumpy()
    turn = Rotation.from_euler("xyz", [8, -6, 10], degrees=True).as_matrix()
    moved = vertices @ turn.T + [0.05, -0.02, 0.03]
    truth = TrueSurface(vertices, faces, 2.0, CONFIG, rng())
    found = truth.compare(Mesh(moved, faces), rng())
    assert found["chamfer"] > 3
    assert found["chamfer_icp"] < 0.3
    points = truth.points
    rotation, translation = icp(points @ turn.T + [1.0, 2.0, 3.0], points, 30)
    np.testing.assert_allclose(rotation, turn.T, atol=1e-6)
    np.testing.assert_allclose(translation, -turn.T @ [1.0, 2.0, 3.0], atol=1e-6)


def test_the_same_streams_give_the_same_numbers():
    truth = TrueSurface(*sphere(0.3), 2.0, CONFIG, rng())
    assert truth.compare(Mesh(*bumpy()), rng()) == truth.compare(Mesh(*bumpy()), rng())
