"""Textured scans with SMPL-X fits in the layouts of THuman2.1 and CustomHumans."""

import json
import pickle

import numpy as np
import pytest
from PIL import Image

from poseloop.data.captured import find_captures, read_capture
from poseloop.render.cameras import orthographic_cameras
from poseloop.render.mesh import Light
from poseloop.render.raycast import RaycastRenderer
from poseloop.render.textured import textured_mesh
from poseloop.runtime.errors import UserError

# A square of 0.4 about the origin facing +z; its two triangles have a seam along the diagonal, and
# the picture's left half is on the one, its right half on the other.
OBJ = """mtllib ../../../secret.mtl
v -0.2 -0.2 0
v 0.2 -0.2 0
v 0.2 0.2 0
v -0.2 0.2 0
vt 0.1 0.1
vt 0.4 0.1
vt 0.4 0.9
vt 0.6 0.1
vt 0.9 0.9
vt 0.6 0.9
usemtl skin
f 1/1 2/2 3/3
f 1/4 3/5 4/6
"""
FIT = {
    "betas": np.arange(10.0),
    "global_orient": np.array([0.0, 0.5, 0.0]),
    "body_pose": np.full(63, 0.1),
    "left_hand_pose": np.zeros(12),
    "right_hand_pose": np.zeros(45),
    "jaw_pose": np.zeros(3),
    "expression": np.zeros(10),
}


def picture(path):
    halves = np.zeros((8, 8, 3), np.uint8)
    halves[:, :4], halves[:, 4:] = (255, 0, 0), (0, 0, 255)
    Image.fromarray(halves).save(path, quality=100, subsampling=0)


def thuman(folder, scale=2.0, **changes):
    for part in ("model/0012", "smplx/0012"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    (folder / "model/0012/0012.obj").write_text(OBJ)
    picture(folder / "model/0012/material0.jpeg")
    fit = {name: np.float32(value)[None] for name, value in FIT.items()}
    fit |= {"scale": np.float32([scale]), "translation": np.float32([[0.0, 1.0, 0.0]])} | changes
    (folder / "smplx/0012/smplx_param.pkl").write_bytes(pickle.dumps(fit))
    return folder / "model/0012/0012.obj"


def custom(folder, fit="mesh-f00101_smplx.json", **changes):
    for part in ("mesh/0003_2", "smplx/0003_2"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    (folder / "mesh/0003_2/mesh-f00101.obj").write_text(OBJ)
    picture(folder / "mesh/0003_2/mesh-f00101.png")
    values = {name: value.tolist() for name, value in FIT.items()} | changes
    (folder / "smplx/0003_2" / fit).write_text(json.dumps(values))
    return folder / "mesh/0003_2/mesh-f00101.obj"


def test_thuman_is_brought_to_the_metres_of_its_fit(tmp_path):
    mesh = thuman(tmp_path)
    (tmp_path / "model/0012/other.obj").write_text(OBJ)
    assert find_captures(tmp_path, "thuman21") == {"0012": mesh}
    scan = read_capture(mesh, "thuman21")
    assert np.allclose(np.unique(scan.vertices, axis=0)[0], [-0.1, -0.6, 0])
    assert np.allclose(scan.fit.global_orient, FIT["global_orient"])
    assert np.allclose(scan.fit.betas, FIT["betas"])
    assert (scan.fit.left_hand_pose.size, scan.fit.right_hand_pose.size) == (12, 45)
    assert not scan.fit.flat_hand_mean
    assert not scan.fit.pelvis_at_origin


@pytest.mark.parametrize("fit", ["mesh-f00101_smplx.json", "mesh-f00101.json"])
def test_customhumans_has_no_root_rotation(tmp_path, fit):
    mesh = custom(tmp_path, fit)
    assert find_captures(tmp_path, "customhumans") == {"0003_2_f00101": mesh}
    scan = read_capture(mesh, "customhumans")
    assert scan.name == "0003_2_f00101"
    assert scan.vertices.min() == pytest.approx(-0.2)
    assert not scan.fit.global_orient.any()
    assert scan.fit.flat_hand_mean
    assert scan.fit.pelvis_at_origin


def test_seams_keep_both_texture_coordinates_and_pictures_show_them(tmp_path):
    scan = read_capture(custom(tmp_path), "customhumans")
    assert len(scan.vertices) == 6
    assert np.allclose(scan.uv[scan.faces[0], 0].max(), 0.4)
    assert np.allclose(scan.uv[scan.faces[1], 0].min(), 0.6)
    mesh = textured_mesh(scan.vertices, scan.faces, scan.uv, scan.pixels())
    assert np.allclose(mesh.normals, [0, 0, 1])
    light = Light(np.array([0.0, 0.0, 1.0]), np.zeros(3), np.ones(3))
    [front, *_] = RaycastRenderer(32).render(mesh, orthographic_cameras()[:1], light).rgb
    assert front[20, 17].tolist() == [255, 0, 0]
    assert front[12, 15].tolist() == [0, 0, 255]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"betas": np.zeros((1, 9))}, "betas holds 9 numbers, not 10"),
        ({"left_hand_pose": np.zeros(6)}, "left_hand_pose holds 6 numbers, not 12 or 45"),
        ({"body_pose": np.full(63, np.nan)}, "body_pose has values that are not finite"),
        ({"scale": np.zeros(1)}, "scale is 0.0, not above 0"),
        ({"translation": "far"}, "lacks translation"),
    ],
)
def test_faulty_fit_names_file_and_parameter(tmp_path, changes, message):
    mesh = thuman(tmp_path, **changes)
    with pytest.raises(UserError, match=f"smplx_param.pkl: {message}"):
        read_capture(mesh, "thuman21")


def test_faulty_json_names_file_and_parameter(tmp_path):
    with pytest.raises(UserError, match=r"smplx.json: betas: not numbers"):
        read_capture(custom(tmp_path, betas={"a": 1}), "customhumans")
    with pytest.raises(UserError, match=r"mesh-f00101.json: JSON file not found"):
        (tmp_path / "smplx/0003_2/mesh-f00101_smplx.json").unlink()
        read_capture(tmp_path / "mesh/0003_2/mesh-f00101.obj", "customhumans")


def test_fit_that_names_code_is_refused(tmp_path):
    mesh = thuman(tmp_path)
    (tmp_path / "smplx/0012/smplx_param.pkl").write_bytes(pickle.dumps({"scale": print}))
    with pytest.raises(UserError, match=r"smplx_param.pkl: .*builtins.print is not allowed"):
        read_capture(mesh, "thuman21")


def test_faulty_mesh_or_texture_names_the_file(tmp_path):
    mesh = thuman(tmp_path)
    (tmp_path / "model/0012/material0.jpeg").write_bytes(b"no picture")
    with pytest.raises(UserError, match=r"material0.jpeg: not a readable picture"):
        read_capture(mesh, "thuman21").pixels()
    (tmp_path / "model/0012/material0.jpeg").unlink()
    with pytest.raises(UserError, match=r"material0.jpeg: texture not found"):
        read_capture(mesh, "thuman21")
    mesh.write_text("v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n")
    with pytest.raises(UserError, match=r"0012.obj: no faces with texture coordinates"):
        read_capture(mesh, "thuman21")
    for content in ("", "f 1/1 2/2 9/9\n"):
        mesh.write_text(content)
        with pytest.raises(UserError, match=r"0012.obj: "):
            read_capture(mesh, "thuman21")
    with pytest.raises(UserError, match=r"no customhumans scans there"):
        find_captures(tmp_path, "customhumans")
