"""Remeshing: topology, lengths and shape stay what they should be."""

import numpy as np
import pytest
import trimesh

from poseloop.reconstruct.remesh import Surface, collapse, flip, neighbour_mean, remesh, split
from poseloop.reconstruct.topology import mesh_edges, valences


def sphere(levels=3):
    ball = trimesh.creation.icosphere(levels, radius=0.4)
    return Surface(np.array(ball.vertices), np.array(ball.faces), ball.vertices.copy())


def lengths(surface):
    ends = mesh_edges(surface.faces).vertices
    return np.linalg.norm(np.diff(surface.vertices[ends], axis=1)[:, 0], axis=1)


def assert_sphere(surface):
    mesh = trimesh.Trimesh(surface.vertices, surface.faces, process=False)
    assert mesh.is_watertight
    assert mesh.is_winding_consistent
    assert mesh.euler_number == 2
    assert mesh.volume > 0


def test_edges_know_their_triangles():
    surface = sphere(1)
    edges = mesh_edges(surface.faces)
    assert len(edges.vertices) == 3 * len(surface.faces) / 2
    for edge, (ends, beside) in enumerate(zip(edges.vertices, edges.faces, strict=True)):
        assert beside[0] != beside[1]
        for face in beside:
            assert set(ends) <= set(surface.faces[face])
            assert edge in edges.of_face[face]
    corners = surface.faces[:, [0, 1]]
    assert (np.sort(corners, 1) == edges.vertices[edges.of_face[:, 0]]).all()


@pytest.mark.parametrize("share", [0.1, 0.5, 1.0])
def test_splits_keep_the_surface_and_halve_the_edges(share):
    surface = sphere(2)
    count = len(mesh_edges(surface.faces).vertices)
    chosen = np.random.default_rng(0).random(count) < share
    result = split(surface, chosen)
    assert_sphere(result)
    assert len(result.vertices) == len(surface.vertices) + chosen.sum()
    before, after = (trimesh.Trimesh(s.vertices, s.faces) for s in (surface, result))
    assert after.volume == pytest.approx(before.volume)
    assert after.area == pytest.approx(before.area)
    np.testing.assert_allclose(result.values, result.vertices)


def test_collapses_keep_topology_and_orientation():
    surface = sphere(3)
    cost = lengths(surface)
    result = collapse(surface, cost)
    assert len(result.vertices) < 0.95 * len(surface.vertices)
    assert_sphere(result)
    np.testing.assert_allclose(result.values, result.vertices)


def test_a_tetrahedron_cannot_be_collapsed():
    corners = np.array([[1, 1, 1], [-1, -1, 1], [-1, 1, -1], [1, -1, -1.0]])
    solid = Surface(corners, np.array([[0, 1, 3], [0, 3, 2], [0, 2, 1], [1, 2, 3]]), corners)
    result = collapse(solid, np.zeros(6))
    np.testing.assert_array_equal(result.faces, solid.faces)


def test_flips_even_out_valences():
    surface = sphere(2)
    rng = np.random.default_rng(0)
    uneven = split(surface, rng.random(len(mesh_edges(surface.faces).vertices)) < 0.3)

    def spread(mesh):
        return np.abs(valences(mesh_edges(mesh.faces).vertices, len(mesh.vertices)) - 6).sum()

    result = uneven
    for _ in range(5):
        result = flip(result)
    assert_sphere(result)
    assert spread(result) < 0.8 * spread(uneven)


@pytest.mark.parametrize("wanted", [0.03, 0.12])
def test_remeshing_reaches_the_wanted_length(wanted):
    surface = sphere(3)
    for _ in range(12):
        surface = remesh(surface, np.full(len(surface.vertices), wanted), 0.4)
    assert_sphere(surface)
    assert lengths(surface).mean() == pytest.approx(wanted, rel=0.25)
    assert np.quantile(lengths(surface), 0.98) < 1.6 * wanted
    np.testing.assert_allclose(np.linalg.norm(surface.vertices, axis=1), 0.4, rtol=0.05)


def test_the_mean_of_neighbours_leaves_a_constant_alone():
    surface = sphere(1)
    mean = neighbour_mean(mesh_edges(surface.faces), len(surface.vertices))
    np.testing.assert_allclose(mean @ np.ones(len(surface.vertices)), 1)
    pulled = mean @ surface.vertices
    assert (np.linalg.norm(pulled, axis=1) < np.linalg.norm(surface.vertices, axis=1)).all()
