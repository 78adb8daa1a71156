"""Pictures with gradients: values of known shapes, gradients against finite differences."""

import importlib.util

import numpy as np
import pytest
import torch
import trimesh
from scipy.spatial.transform import Rotation

from poseloop.reconstruct.losses import view_losses
from poseloop.reconstruct.rendering import barycentric, vertex_normals, visible_normals
from poseloop.reconstruct.silhouette import signed_distance, silhouette_distance
from poseloop.reconstruct.targets import make_targets
from poseloop.reconstruct.topology import mesh_edges
from poseloop.reconstruct.visibility import (
    Visible,
    make_visibility,
    raycast_visibility,
    to_views,
)
from poseloop.render.cameras import pixel_centres
from poseloop.runtime.errors import UserError

AZIMUTHS = [0.0, 45.0, 90.0, 180.0, 270.0, 315.0]
SIZE = 48


def ball(radius=0.3, shift=(0.0, 0.0, 0.0)):
    mesh = trimesh.creation.icosphere(4, radius=radius)
    vertices = torch.tensor(mesh.vertices + np.array(shift), dtype=torch.float64)
    return vertices, torch.tensor(np.array(mesh.faces))


def seen_by(visible):
    seen = np.zeros(len(AZIMUTHS) * SIZE**2, bool)
    seen[visible.pixel.numpy()] = True
    return seen.reshape(len(AZIMUTHS), SIZE, SIZE)


def distance_to(vertices, faces, reach=6.0):
    visible = raycast_visibility(AZIMUTHS, SIZE)(vertices, faces)
    edges = mesh_edges(faces.numpy())
    return silhouette_distance(vertices, faces, edges, seen_by(visible), AZIMUTHS, reach)


def test_the_distance_to_a_balls_silhouette_is_that_to_its_disc():
    vertices, faces = ball()
    x, y = pixel_centres(SIZE)
    expected = (0.3 - np.hypot(x, y[:, None])) * SIZE
    expected = np.broadcast_to(np.clip(expected, -6, 6), (6, SIZE, SIZE))
    found = distance_to(vertices, faces).numpy()
    np.testing.assert_allclose(found, expected, atol=0.2)
    # The border falls exactly where the picture is half covered.
    assert np.abs(found - expected).mean() < 0.02


def test_the_silhouette_is_seen_from_the_right_side():
    vertices, faces = ball(0.1, (0.3, 0.2, 0.0))
    found = distance_to(vertices, faces)
    row, column = int((0.5 - 0.2) * SIZE), int((0.5 + 0.3) * SIZE)
    assert found[0, row, column] > 4
    assert found[3, row, SIZE - 1 - column] > 4
    assert found[2, row, SIZE // 2] > 4


def test_an_inner_contour_is_no_silhouette():
    """A small ball before a large one: its outline lies inside and bounds nothing."""
    near, faces = ball(0.1, (0.0, 0.0, 0.4))
    far, _ = ball(0.3)
    both = torch.cat([far, near])
    triangles = torch.cat([faces, faces + len(far)])
    view = distance_to(both, triangles)[0]
    alone = distance_to(far, faces)[0]
    torch.testing.assert_close(view, alone)


def test_signed_distance_is_antisymmetric_and_handles_blank_masks():
    mask = np.zeros((9, 9), bool)
    mask[3:6, 2:7] = True
    np.testing.assert_allclose(signed_distance(mask), -signed_distance(~mask))
    assert signed_distance(mask)[4, 4] == 1.5
    assert (signed_distance(np.zeros((4, 4), bool)) == -np.inf).all()


def slope(function, vertices, direction, step=1e-5):
    return (function(vertices + step * direction) - function(vertices - step * direction)) / (
        2 * step
    )


def test_the_gradient_of_the_distance_is_that_of_finite_differences():
    # Turned and off the middle, so that no triangle is seen exactly from its side and no pixel is
    # as near to one edge as to another.
    vertices, faces = ball(0.3)
    turn = torch.from_numpy(Rotation.from_rotvec([0.3, 0.5, 0.7]).as_matrix())
    vertices = vertices @ turn.T + torch.tensor([0.013, 0.007, -0.011]).double()
    edges, see = mesh_edges(faces.numpy()), raycast_visibility(AZIMUTHS, SIZE)
    seen = seen_by(see(vertices, faces))
    weights = torch.randn(6, SIZE, SIZE, generator=torch.Generator().manual_seed(0)).double()

    def total(points):
        found = silhouette_distance(points, faces, edges, seen, AZIMUTHS, 4.0)
        return (weights * found).sum()

    points = vertices.clone().requires_grad_()
    total(points).backward()
    for direction in (vertices, torch.ones_like(vertices) * torch.tensor([1.0, 0.5, -0.3])):
        expected = slope(total, vertices, direction, 1e-8)
        found = (points.grad * direction).sum().item()
        assert found == pytest.approx(expected.item(), rel=1e-3)


def test_normals_of_a_ball_point_outwards_where_they_are_seen():
    vertices, faces = ball()
    visible = raycast_visibility(AZIMUTHS, SIZE)(vertices, faces)
    normals = visible_normals(vertices, faces, visible, AZIMUTHS, SIZE)
    weights = barycentric(vertices, faces, visible, AZIMUTHS, SIZE)
    points = (weights[..., None] * vertices[faces[visible.triangle]]).sum(1)
    torch.testing.assert_close(normals, points / 0.3, rtol=0, atol=0.02)
    torch.testing.assert_close(weights.sum(-1), torch.ones(len(weights)).double())


def test_the_gradient_of_normals_is_that_of_finite_differences():
    vertices, faces = ball()
    visible = raycast_visibility(AZIMUTHS, SIZE)(vertices, faces)
    generator = torch.Generator().manual_seed(0)
    # At the rim a triangle is seen too much from the side, and its weights do not move.
    middle = torch.from_numpy(seen_by(visible)).flatten()[visible.pixel]
    frontal = to_views(vertex_normals(vertices, faces), AZIMUTHS)[
        visible.pixel // SIZE**2, faces[visible.triangle, 0], 2
    ]
    chosen = Visible(visible.pixel[frontal > 0.4], visible.triangle[frontal > 0.4])
    assert middle.all()
    weights = torch.randn(len(chosen.pixel), 3, generator=generator).double()

    def total(points):
        return (weights * visible_normals(points, faces, chosen, AZIMUTHS, SIZE)).sum()

    points = vertices.clone().requires_grad_()
    total(points).backward()
    direction = torch.randn(vertices.shape, generator=generator).double()
    expected = slope(total, vertices, direction, 1e-7)
    assert (points.grad * direction).sum().item() == pytest.approx(expected.item(), rel=1e-4)


def pictures_of(vertices, faces):
    """Normal pictures (C, S, S, 3) uint8, as a benchmark holds them."""
    visible = raycast_visibility(AZIMUTHS, SIZE)(vertices, faces)
    normals = visible_normals(vertices, faces, visible, AZIMUTHS, SIZE).numpy()
    picture = np.full((len(AZIMUTHS) * SIZE**2, 3), 128, np.uint8)
    picture[visible.pixel.numpy()] = np.rint(normals * 127.5 + 127.5)
    return picture.reshape(len(AZIMUTHS), SIZE, SIZE, 3)


def test_losses_are_least_at_the_truth_and_lead_there():
    truth, faces = ball(0.3)
    pictures = pictures_of(truth, faces)
    targets = make_targets(pictures, (pictures != 128).any(-1), AZIMUTHS, [1.0] * 6)
    edges, see = mesh_edges(faces.numpy()), raycast_visibility(AZIMUTHS, SIZE)

    def losses(vertices):
        return view_losses(vertices.float(), faces, edges, targets, see, 4.0)

    at_truth = sum(losses(truth))
    for wrong in (0.9 * truth, 1.1 * truth, truth + torch.tensor([0.03, 0.0, 0.0])):
        assert sum(losses(wrong)) > 1.5 * at_truth
    small = (0.9 * truth).float().requires_grad_()
    losses(small)[1].backward()
    assert (small.grad * small.detach()).sum() < 0


NVDIFFRAST_TOLERANCE = 0.02
"""Greatest share of the seen pixels that nvdiffrast may judge otherwise than the ray caster: those
whose centres lie on an edge. Losses and gradients then differ by no more."""


def test_without_nvdiffrast_the_config_is_told_so():
    if importlib.util.find_spec("nvdiffrast"):
        pytest.skip("nvdiffrast is installed")
    with pytest.raises(UserError, match="rasteriser: nvdiffrast is not installed"):
        make_visibility("nvdiffrast", AZIMUTHS, SIZE)


def test_nvdiffrast_gives_the_ray_casters_losses_within_the_tolerance():
    pytest.importorskip("nvdiffrast.torch", reason="nvdiffrast is not installed")
    if not torch.cuda.is_available():
        pytest.skip("nvdiffrast needs a CUDA device, and there is none")
    vertices, faces = (part.cuda() for part in ball())
    vertices = vertices.float()
    theirs, ours = (make_visibility(name, AZIMUTHS, SIZE) for name in ("nvdiffrast", "raycast"))
    seen = np.setxor1d(theirs(vertices, faces).pixel.cpu(), ours(vertices, faces).pixel.cpu())
    assert len(seen) < NVDIFFRAST_TOLERANCE * len(ours(vertices, faces).pixel)

    pictures = pictures_of(*ball(0.25))
    inside = (pictures != 128).any(-1)
    targets = make_targets(pictures, inside, AZIMUTHS, [1.0] * 6).to(vertices.device)
    edges = mesh_edges(faces.cpu().numpy())
    gradients = []
    for see in (theirs, ours):
        points = vertices.clone().requires_grad_()
        sum(view_losses(points, faces, edges, targets, see, 4.0)).backward()
        gradients.append(points.grad)
    apart = (gradients[0] - gradients[1]).norm() / gradients[1].norm()
    assert apart < 5 * NVDIFFRAST_TOLERANCE
