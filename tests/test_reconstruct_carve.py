"""Carving: known shapes are found from what the fit and the hull give."""

import numpy as np
import pytest
import trimesh
from scipy.spatial import cKDTree
from tiny_carving import AZIMUTHS, CPU, SIZE, ball, demo_config, pictures_of, targets_of

from poseloop.reconstruct.carve import carve
from poseloop.reconstruct.initial import large_components, union_surface
from poseloop.reconstruct.visibility import raycast_visibility


@pytest.fixture(scope="module")
def config():
    return demo_config()


def apart(points, others):
    return (cKDTree(points).query(others)[0].mean() + cKDTree(others).query(points)[0].mean()) / 2


def test_a_ball_becomes_the_ellipsoid_of_its_views(config):
    wanted, faces = ball([0.22, 0.35, 0.16])
    start, _ = ball([0.2, 0.3, 0.2])
    targets = targets_of(pictures_of(wanted, faces), config.view_weights)
    see = raycast_visibility(AZIMUTHS, SIZE)
    settings = config.carving.model_copy(update={"steps": 60, "edge_length": (0.02, 0.05)})
    vertices, triangles = carve(start, faces, targets, see, settings, CPU)
    assert apart(vertices, wanted) < 0.35 * apart(start, wanted)
    mesh = trimesh.Trimesh(vertices, triangles, process=False)
    assert mesh.is_watertight and mesh.euler_number == 2 and mesh.volume > 0


def test_doubt_makes_smooth_without_shrinking(config):
    truth, faces = ball([0.3, 0.3, 0.3])
    rng = np.random.default_rng(0)
    rough = truth + rng.normal(0, 0.004, truth.shape)
    pictures = pictures_of(truth, faces)
    faint = np.rint(128 + 0.6 * (pictures.astype(float) - 128)).astype(np.uint8)
    see = raycast_visibility(AZIMUTHS, SIZE)
    spread, radius = [], []
    for weight in (0.0, 1.0):
        still = {"steps": 10, "learning_rate": 1e-9, "laplacian_weight": 0.0}
        settings = config.carving.model_copy(update=still | {"doubt_weight": weight})
        vertices, _ = carve(rough, faces, targets_of(faint), see, settings, CPU)
        lengths = np.linalg.norm(vertices, axis=1)
        spread.append(lengths.std())
        radius.append(lengths.mean())
    assert spread[1] < 0.6 * spread[0]
    assert radius[1] == pytest.approx(radius[0], abs=0.002)


def test_crumbs_are_left_out_and_the_largest_part_stays():
    big, faces = ball([0.3, 0.3, 0.3])
    eye = trimesh.creation.icosphere(1, radius=0.02)
    vertices = np.concatenate([np.array(eye.vertices), big])
    both = np.concatenate([np.array(eye.faces), faces + len(eye.vertices)])
    for least in (0.05, 1.0):
        kept, triangles = large_components(vertices, both, least)
        np.testing.assert_array_equal(kept, big)
        np.testing.assert_array_equal(triangles, faces)
    kept, _ = large_components(vertices, both, 0.001)
    assert len(kept) == len(vertices)


def test_the_union_holds_the_body_and_the_hull():
    body, faces = ball([0.2, 0.3, 0.2])
    centre = (np.arange(32) + 0.5) / 32 - 0.5
    x, y, z = np.meshgrid(centre, centre, centre, indexing="ij")
    # A bar from the middle to the side of the cube, as a limb that the body does not have.
    bar = ((np.abs(y) < 0.06) & (np.abs(z) < 0.06) & (x > 0)).astype(np.float32)
    vertices, triangles = union_surface(body, faces, bar, 0.5)
    mesh = trimesh.Trimesh(vertices, triangles, process=False)
    assert mesh.is_watertight and mesh.volume > 0
    assert vertices[:, 0].max() == pytest.approx(0.5, abs=0.02)
    assert vertices[:, 0].min() == pytest.approx(-0.2, abs=0.01)
    assert vertices[:, 1].max() == pytest.approx(0.3, abs=0.01)
    alone, _ = union_surface(body, faces, 0 * bar, 0.5)
    np.testing.assert_allclose(np.linalg.norm(alone / [0.2, 0.3, 0.2], axis=1), 1, atol=0.03)
