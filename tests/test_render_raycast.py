import numpy as np
import pytest
import trimesh

from poseloop.render.cameras import Camera, orthographic_cameras, pixel_centres
from poseloop.render.mesh import Light, Mesh, vertex_normals
from poseloop.render.raycast import RaycastRenderer, cast

LIGHT = Light(np.array([0.3, 1.0, 1.0]), np.full(3, 0.6), np.full(3, 0.4))


def mesh_of(shape, colour=(0.8, 0.2, 0.2)):
    vertices, faces = np.asarray(shape.vertices), np.asarray(shape.faces)
    colours = np.tile(np.asarray(colour, np.float32), (len(vertices), 1))
    return Mesh(vertices, faces, vertex_normals(vertices, faces), colours, lambda values: values)


def lopsided():
    """A closed shape without any symmetry, well inside the picture."""
    shape = trimesh.creation.icosphere(3, radius=0.2)
    shape.vertices[:, 0] *= 1.0 + 0.8 * shape.vertices[:, 1]
    shape.vertices[:, 2] += 0.4 * shape.vertices[:, 1]
    arm = trimesh.creation.box((0.3, 0.05, 0.08))
    arm.apply_translation((0.2, 0.12, 0.05))
    return trimesh.util.concatenate([shape, arm])


@pytest.mark.parametrize("supersample", [1, 2])
def test_normals_of_a_sphere_are_its_positions(supersample):
    radius, size = 0.4, 64
    mesh = mesh_of(trimesh.creation.icosphere(5, radius=radius))
    pictures = RaycastRenderer(size, supersample).render(mesh, orthographic_cameras(), LIGHT)
    x, y = np.meshgrid(*pixel_centres(size))
    inside = x**2 + y**2 < (0.9 * radius) ** 2
    z = np.sqrt(np.maximum(radius**2 - x**2 - y**2, 0))
    for camera, normal in zip(orthographic_cameras(), pictures.normal, strict=True):
        expected = np.stack([x, y, z], axis=-1) @ camera.rotation / radius
        measured = normal.astype(float) / 127.5 - 1.0
        assert np.abs(measured - expected)[inside].max() < 0.02


def test_background_is_white_grey_and_empty():
    pictures = RaycastRenderer(32).render(mesh_of(lopsided()), orthographic_cameras(), LIGHT)
    empty = pictures.mask == 0
    assert empty.any()
    assert (pictures.rgb[empty] == 255).all()
    assert (pictures.normal[empty] == 128).all()


def test_back_silhouette_is_the_mirrored_front_one():
    pictures = RaycastRenderer(96).render(
        mesh_of(lopsided()), orthographic_cameras([0, 180, 90, 270]), LIGHT
    )
    masks = pictures.mask > 0
    for front, back in ((0, 1), (2, 3)):
        assert (masks[front] != masks[back][:, ::-1]).mean() < 1e-3
        assert (masks[front] != masks[back]).mean() > 1e-2


def test_bounding_box_of_rays_loses_nothing():
    shape = lopsided()
    far = trimesh.creation.icosphere(1, radius=0.001)
    corners = [far.copy().apply_translation((x, y, 0)) for x in (-0.6, 0.6) for y in (-0.6, 0.6)]
    whole = trimesh.util.concatenate([shape, *corners])
    for camera in (Camera(45.0), Camera(0.0, 2.0)):
        few = cast(np.asarray(shape.vertices), np.asarray(shape.faces), [camera], 48)
        all_rays = cast(np.asarray(whole.vertices), np.asarray(whole.faces), [camera], 48)
        assert set(few.pixel) == set(all_rays.pixel)
        assert len(few.pixel) > 100


def test_hits_lie_on_the_surface_where_the_camera_looks():
    shape = lopsided()
    vertices, faces = np.asarray(shape.vertices), np.asarray(shape.faces)
    camera, size = Camera(30.0, 2.5), 40
    hits = cast(vertices, faces, [camera], size)
    points = hits.interpolate(vertices, faces)
    x, y = pixel_centres(size)
    expected = np.stack([x[hits.pixel % size], y[hits.pixel // size]], axis=1)
    assert np.abs(camera.project(points) - expected).max() < 1e-5


def test_supersampling_softens_only_the_edge():
    mesh = mesh_of(lopsided())
    hard = RaycastRenderer(32).render(mesh, [Camera()], LIGHT).mask[0]
    soft = RaycastRenderer(32, 4).render(mesh, [Camera()], LIGHT).mask[0]
    assert set(np.unique(hard)) == {0, 255}
    assert len(np.unique(soft)) > 5
    assert abs(hard.mean() - soft.mean()) < 0.02 * 255


def test_light_falls_on_the_lit_side():
    mesh = mesh_of(trimesh.creation.icosphere(3, radius=0.4), (0.5, 0.5, 0.5))
    light = Light(np.array([1.0, 0.0, 0.0]), np.full(3, 0.8), np.full(3, 0.2))
    rgb = RaycastRenderer(32).render(mesh, [Camera()], light).rgb[0]
    assert rgb[16, 26].mean() > rgb[16, 6].mean() + 50
