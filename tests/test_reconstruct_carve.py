"""Carving: known shapes are found, colours land where they belong, bad views are refused."""

from dataclasses import replace

import numpy as np
import pytest
import torch
import trimesh
from PIL import Image
from scipy.spatial import cKDTree
from tiny_data import make_body

from poseloop.data.poses import Poses
from poseloop.reconstruct.body_fit import KINDS, Start, fit_body
from poseloop.reconstruct.carve import carve
from poseloop.reconstruct.config import CarveConfig
from poseloop.reconstruct.initial import large_components, union_surface
from poseloop.reconstruct.pictures import read_views
from poseloop.reconstruct.rendering import vertex_normals, visible_normals
from poseloop.reconstruct.starts import (
    StartPoses,
    make_starts,
    read_estimates,
    read_starts,
    write_starts,
)
from poseloop.reconstruct.store import read_carved, write_carved, write_glb
from poseloop.reconstruct.subject import Carved, carve_subject, inside_frame, prepare_views
from poseloop.reconstruct.targets import (
    make_targets,
    refusal,
    sharpen,
    unequal_sizes,
    vectors,
)
from poseloop.reconstruct.texture import vertex_colours
from poseloop.reconstruct.visibility import raycast_visibility, to_views
from poseloop.runtime.config import load_config
from poseloop.runtime.errors import UserError

AZIMUTHS = [0.0, 45.0, 90.0, 180.0, 270.0, 315.0]
SIZE = 48
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def config():
    return load_config("config/demo/carve.yaml", CarveConfig)


def pictures_of(vertices, faces, size=SIZE):
    """Normal pictures (C, S, S, 3) uint8, as a benchmark holds them."""
    vertices, faces = torch.as_tensor(vertices), torch.as_tensor(faces)
    visible = raycast_visibility(AZIMUTHS, size)(vertices, faces)
    normals = visible_normals(vertices, faces, visible, AZIMUTHS, size).numpy()
    picture = np.full((len(AZIMUTHS) * size**2, 3), 128, np.uint8)
    picture[visible.pixel.numpy()] = np.rint(normals * 127.5 + 127.5)
    return picture.reshape(len(AZIMUTHS), size, size, 3)


def silhouettes(pictures):
    """Where normal pictures (C, S, S, 3) show a body."""
    return (np.asarray(pictures) != 128).any(-1)


def targets_of(pictures, weights=(1.0,) * 6):
    return make_targets(pictures, silhouettes(pictures), AZIMUTHS, weights)


def ball(radii):
    mesh = trimesh.creation.icosphere(4)
    return np.array(mesh.vertices) * radii, np.array(mesh.faces)


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


def test_the_fit_finds_a_pose_from_another_one(tmp_path, config):
    body = make_body(tmp_path)
    pose = torch.zeros(1, 69)
    pose[0, [47, 50]] = torch.tensor([-0.5, 0.5])  # both shoulders, up or down
    zero = torch.zeros(1, 3)
    truth = body(zero, pose).vertices[0]
    low, high = truth.amin(0), truth.amax(0)
    truth = (truth - (low + high) / 2) / (high - low).norm()
    targets = targets_of(pictures_of(truth, body.faces), config.view_weights)
    see = raycast_visibility(AZIMUTHS, SIZE)
    settings = config.body.model_copy(update={"trial_steps": 5, "steps": 40, "pose_weight": 0.01})
    wrong = torch.zeros(69)
    wrong[[47, 50]] = torch.tensor([2.0, -2.0])
    starts = [Start(zero[0], wrong), Start(zero[0], torch.zeros(69), KINDS[1])]
    found = fit_body(body, starts, targets, see, settings)
    assert found.trials[KINDS[1]] < found.trials[KINDS[0]]
    fitted = found.vertices
    still = settings.model_copy(update={"learning_rate": 1e-9, "shape_learning_rate": 1e-9})
    unfitted = fit_body(body, starts, targets, see, still).vertices

    def error(vertices):
        return (vertices - truth).norm(dim=1).mean()

    # The better start is chosen, and the fit goes on from there.
    assert error(unfitted) < 0.1
    assert error(fitted) < 0.6 * error(unfitted)


def make_library(tmp_path, config):
    rng = np.random.default_rng(0)
    count = 12
    poses = Poses(
        np.zeros((count, 3), np.float32),
        rng.normal(0, 0.6, (count, 69)).astype(np.float32),
        np.full(count, "walk"),
        np.arange(count, dtype=np.int32),
        np.zeros(count, bool),
    )
    body = make_body(tmp_path)
    starts = config.starts.model_copy(update={"poses": 6, "yaws": (-30.0, 30.0), "size": 16})
    return body, poses, make_starts(body, poses, AZIMUTHS, starts), starts


def test_start_poses_are_found_by_their_pictures(tmp_path, config):
    body, poses, arrays, starts = make_library(tmp_path, config)
    assert arrays["body_pose"].shape == (12, 69)
    write_starts(tmp_path / "starts.npz", arrays)
    library = read_starts(tmp_path / "starts.npz")
    for index in (0, 7):
        pose = torch.from_numpy(arrays["body_pose"][index])[None]
        orient = torch.from_numpy(arrays["global_orient"][index])[None]
        vertices = body(orient, pose).vertices[0]
        low, high = vertices.amin(0), vertices.amax(0)
        vertices = (vertices - (low + high) / 2) / (high - low).norm()
        best = library.nearest(targets_of(pictures_of(vertices, body.faces)), 1)[0]
        assert torch.equal(best.global_orient, orient[0])
        assert torch.equal(best.body_pose, pose[0])
    pictures = pictures_of(vertices, body.faces)[:3]
    other = make_targets(pictures, silhouettes(pictures), AZIMUTHS[:3], [1.0] * 3)
    with pytest.raises(ValueError, match="other views"):
        library.nearest(other, 1)
    with pytest.raises(UserError, match="starts.poses: 99 asked of 24"):
        make_starts(body, poses, AZIMUTHS, starts.model_copy(update={"poses": 99}))


def test_colours_come_from_the_views_that_see_a_vertex(config):
    vertices, faces = ball([0.3, 0.3, 0.3])
    rgb = np.zeros((6, SIZE, SIZE, 3), np.uint8)
    rgb[0, ..., 0] = rgb[3, ..., 2] = 255
    weights = [1.0, 0.0, 0.0, 1.0, 0.0, 0.0]
    texture = config.texture.model_copy(update={"least_cosine": 0.2})
    colours = vertex_colours(vertices, faces, rgb, AZIMUTHS, weights, texture)
    front, back = vertices[:, 2] > 0.1, vertices[:, 2] < -0.1
    np.testing.assert_allclose(colours[front], np.tile([1.0, 0, 0], (front.sum(), 1)), atol=1e-6)
    np.testing.assert_allclose(colours[back], np.tile([0, 0, 1.0], (back.sum(), 1)), atol=1e-6)
    rim = np.abs(vertices[:, 2]) < 0.005
    np.testing.assert_allclose(colours[rim].mean(0), [0.5, 0, 0.5], atol=0.02)


def test_a_hidden_vertex_takes_no_colour_from_what_hides_it(config):
    near, faces = ball([0.3, 0.3, 0.05])
    far = near.copy()
    near, far = near + [0, 0, 0.2], far - [0, 0, 0.2]
    vertices, triangles = np.concatenate([near, far]), np.concatenate([faces, faces + len(near)])
    rgb = np.zeros((6, SIZE, SIZE, 3), np.uint8)
    rgb[0, ..., 0] = rgb[3, ..., 2] = 255
    weights = [1.0, 0.0, 0.0, 1.0, 0.0, 0.0]
    colours = vertex_colours(vertices, triangles, rgb, AZIMUTHS, weights, config.texture)
    inner = (vertices[:, 2] > -0.2) & (np.arange(len(vertices)) >= len(near))
    middle = inner & (np.hypot(vertices[:, 0], vertices[:, 1]) < 0.15)
    # The far disc's front faces the first view, which the near disc blocks: no red of its own.
    assert colours[middle, 0].max() < 0.2


def test_sure_views_stay_and_unsure_ones_gain_contrast():
    picture = pictures_of(*ball([0.3, 0.3, 0.3]))[0]
    field = vectors(picture)
    np.testing.assert_allclose(sharpen(field), field, atol=0.02)
    weak = sharpen(0.6 * field)
    np.testing.assert_allclose(weak, field, atol=0.03)
    assert (sharpen(np.zeros((4, 4, 3))) == 0).all()


def test_certainty_is_the_length_that_the_normals_were_given():
    picture = pictures_of(*ball([0.3, 0.3, 0.3]))
    faint = np.rint(128 + 0.6 * (picture.astype(float) - 128)).astype(np.uint8)
    sure, unsure = targets_of(picture), targets_of(faint)
    assert sure.certainty == pytest.approx(1, abs=0.01)
    assert unsure.certainty == pytest.approx(0.6, abs=0.01)
    np.testing.assert_allclose(unsure.mask, sure.mask, atol=0.03)


def test_bad_views_are_refused_with_the_reason():
    normal = list(pictures_of(*ball([0.3, 0.3, 0.3])))
    assert unequal_sizes(normal, normal) is None
    small = [*normal[:5], normal[5][::2, ::2]]
    assert unequal_sizes(small, normal) == "views of different sizes (24 x 24, 48 x 48)"
    assert refusal(silhouettes(normal), AZIMUTHS) is None
    blank = silhouettes([*normal[:2], np.full_like(normal[2], 128), *normal[3:]])
    assert refusal(blank, AZIMUTHS) == "the view at 90 degrees has an empty mask"
    wide = silhouettes(pictures_of(*ball([0.6, 0.3, 0.3])))
    assert refusal(wide, AZIMUTHS) == "the view at 0 degrees has a mask that touches the border"


def test_a_mesh_beyond_the_frame_is_noticed():
    vertices, _ = ball([0.3, 0.3, 0.3])
    assert inside_frame(vertices, AZIMUTHS)
    assert not inside_frame(vertices + [0.3, 0, 0], AZIMUTHS)


def few_steps(config):
    return config.model_copy(
        update={
            "subjects": 3,
            "body": config.body.model_copy(update={"candidates": 2, "trial_steps": 2, "steps": 2}),
            "carving": config.carving.model_copy(update={"steps": 2}),
        }
    )


def bodys_pictures(body):
    """Normal pictures of the resting body, centred and scaled."""
    vertices = body(torch.zeros(1, 3), torch.zeros(1, 69)).vertices[0]
    low, high = vertices.amin(0), vertices.amax(0)
    return pictures_of((vertices - (low + high) / 2) / (high - low).norm(), body.faces)


def prepared(normal, starts, estimate, config):
    hull = np.zeros((32, 32, 32), np.float32)
    hull[14:18, 8:24, 14:18] = 1
    inside = silhouettes(normal)
    return prepare_views(normal, normal, inside, hull, 0.5, starts, estimate, config)


def test_one_subject_from_views_to_mesh_and_one_refused(tmp_path, config):
    body, _, arrays, _ = make_library(tmp_path, config)
    tiny, starts = few_steps(config), StartPoses(arrays)
    normal = bodys_pictures(body)
    estimate = Start(torch.zeros(3), torch.zeros(69), KINDS[1])
    views = prepared(normal, starts, estimate, tiny)
    assert [start.kind for start in views.starts] == [KINDS[0]] * 2 + [KINDS[1]]
    carved = carve_subject(views, body, tiny, CPU)
    assert isinstance(carved, Carved)
    assert len(carved.colours) == len(carved.vertices) and carved.faces.max() < len(carved.vertices)
    assert np.isfinite(carved.fit).all() and carved.fit[0, 1] < carved.fit[0, 0]
    again = carve_subject(views, body, tiny, CPU)
    np.testing.assert_array_equal(carved.vertices, again.vertices)
    blank = np.full_like(normal, 128)
    refused = carve_subject(prepared(blank, starts, None, tiny), body, tiny, CPU)
    assert refused == "the view at 0 degrees has an empty mask"

    write_carved(tmp_path / "carved.npz", {0: carved, 3: refused, 5: carved})
    rows = read_carved(tmp_path / "carved.npz")
    assert list(rows) == [0, 3, 5] and rows[3] == refused
    for found in (rows[0], rows[5]):
        np.testing.assert_array_equal(found.vertices, carved.vertices)
        np.testing.assert_array_equal(found.faces, carved.faces)
        np.testing.assert_array_equal(found.fit, carved.fit)
    write_glb(tmp_path / "glb", {0: carved, 3: refused})
    assert [path.name for path in (tmp_path / "glb").iterdir()] == ["0000.glb"]
    mesh = trimesh.load(tmp_path / "glb" / "0000.glb", force="mesh", process=False)
    assert len(mesh.faces) == len(carved.faces)
    np.testing.assert_array_equal(mesh.visual.vertex_colors[:, :3], carved.colours)


def test_a_body_that_leaves_the_frame_is_left_out(tmp_path, config, monkeypatch):
    body, _, arrays, _ = make_library(tmp_path, config)
    tiny = few_steps(config)
    views = prepared(bodys_pictures(body), StartPoses(arrays), None, tiny)

    def strayed(*arguments):
        found = fit_body(*arguments)
        return replace(found, vertices=found.vertices + torch.tensor([0.4, 0.0, 0.0]))

    monkeypatch.setattr("poseloop.reconstruct.subject.fit_body", strayed)
    assert carve_subject(views, body, tiny, CPU) == "the fitted body leaves the frame"


def test_unsure_views_are_carved_from_body_and_hull(tmp_path, config):
    body, _, arrays, _ = make_library(tmp_path, config)
    normal, starts = bodys_pictures(body), StartPoses(arrays)
    least = config.initial.certainty
    sure, unsure = (
        few_steps(config).model_copy(update={"initial": config.initial.model_copy(update=change)})
        for change in ({"certainty": 0.0}, {"certainty": 2.0})
    )
    assert 0 < least < 1
    meshes = [
        carve_subject(prepared(normal, starts, None, each), body, each, CPU)
        for each in (sure, unsure)
    ]
    # The stand-in hull is a bar from the middle down and up, which the union alone holds.
    assert len(meshes[0].vertices) != len(meshes[1].vertices)


def test_estimated_poses_join_the_library_or_replace_it(tmp_path, config):
    body, _, arrays, _ = make_library(tmp_path, config)
    normal, starts = bodys_pictures(body), StartPoses(arrays)
    pose = np.zeros((2, 69), np.float32)
    content = {"global_orient": pose[:, :3], "body_pose": pose, "found": np.array([True, False])}
    np.savez(tmp_path / "poses.npz", **content)
    estimate, nobody = read_estimates(tmp_path / "poses.npz")
    assert nobody is None and estimate.kind == KINDS[1]
    alone = config.model_copy(
        update={"starts": config.starts.model_copy(update={"kinds": ("estimate",)})}
    )
    kinds = [start.kind for start in prepared(normal, starts, estimate, alone).starts]
    assert kinds == [KINDS[1]]
    # Nobody was found in the picture: the library serves.
    kinds = [start.kind for start in prepared(normal, starts, nobody, alone).starts]
    assert kinds == [KINDS[0]] * config.body.candidates
    np.savez(tmp_path / "bad.npz", **content | {"body_pose": np.full((2, 69), np.nan)})
    with pytest.raises(UserError, match=r"bad.npz: not one pose of 24 finite rotations"):
        read_estimates(tmp_path / "bad.npz")


def test_views_are_read_from_folders_of_pictures(tmp_path):
    normal = pictures_of(*ball([0.3, 0.3, 0.3]))
    for name in ("anna", "ben"):
        for azimuth, picture in zip(AZIMUTHS, normal, strict=True):
            for kind in ("normal", "rgb"):
                path = tmp_path / name / f"{kind}_{azimuth:03.0f}.png"
                path.parent.mkdir(exist_ok=True)
                Image.fromarray(picture).save(path)
    subjects = read_views(tmp_path, AZIMUTHS)
    assert len(subjects) == 2
    np.testing.assert_array_equal(np.stack(subjects[1][0]), normal)
    (tmp_path / "ben" / "rgb_090.png").write_bytes(b"no picture")
    with pytest.raises(UserError, match=r"rgb_090.png: not a readable picture"):
        read_views(tmp_path, AZIMUTHS)
    (tmp_path / "ben" / "rgb_090.png").unlink()
    with pytest.raises(UserError, match=r"rgb_090.png: picture not found"):
        read_views(tmp_path, AZIMUTHS)


def test_views_of_a_file_must_be_those_of_the_config(tmp_path):
    normal = np.zeros((2, 6, 8, 8, 3), np.uint8)
    np.savez(tmp_path / "a.npz", normal=normal, rgb=normal, azimuths=np.array(AZIMUTHS) + 5)
    with pytest.raises(UserError, match="views at"):
        read_views(tmp_path / "a.npz", AZIMUTHS)
    np.savez(tmp_path / "b.npz", normal=normal, rgb=normal[:, :4])
    with pytest.raises(UserError, match="rgb has 4 views, not 6"):
        read_views(tmp_path / "b.npz", AZIMUTHS)
    np.savez(tmp_path / "c.npz", normal=normal, rgb=normal)
    assert len(read_views(tmp_path / "c.npz", AZIMUTHS)) == 2


def test_normals_of_a_view_face_its_camera():
    vertices, faces = ball([0.2, 0.3, 0.25])
    vertices, faces = torch.from_numpy(vertices), torch.from_numpy(faces)
    visible = raycast_visibility(AZIMUTHS, SIZE)(vertices, faces)
    towards = to_views(vertex_normals(vertices, faces), AZIMUTHS)[
        visible.pixel // SIZE**2, faces[visible.triangle, 0], 2
    ]
    assert (towards > -0.2).all()
