"""Sets of the user's own: small made files in the layouts of 3DPW, Human3.6M and HumanData."""

import json
import pickle
import zipfile

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_hmr import make_body

from poseloop.hmr.annotations import cut_out
from poseloop.hmr.dataset import bodies_of
from poseloop.hmr.formats import read_3dpw, read_h36m, read_humandata
from poseloop.hmr.geometry import project
from poseloop.hmr.skeleton_body import SkeletonBody
from poseloop.runtime.errors import UserError

WIDTH, HEIGHT, FOCAL = 320, 240, 300.0
FRAMES = 4


@pytest.fixture(scope="module")
def body(tmp_path_factory):
    return make_body(tmp_path_factory.mktemp("body"))


@pytest.fixture(scope="module")
def people():
    """World poses, and a camera five metres away that is turned about the vertical."""
    rng = np.random.default_rng(0)
    angle = 0.6
    c, s = np.cos(angle), np.sin(angle)
    # World y up; OpenCV camera: y down, z forward.
    rotation = np.diag([1.0, -1.0, -1.0]) @ np.array([[c, 0, -s], [0, 1, 0], [s, 0, c]])
    return {
        "pose": rng.normal(0, 0.2, (FRAMES, 72)),
        "trans": rng.normal(0, 0.1, (FRAMES, 3)),
        "betas": rng.normal(0, 0.2, 10),
        "R": rotation,
        "t": np.array([0.1, 0.0, 5.0]),
        "K": np.array([[FOCAL, 0, WIDTH / 2], [0, FOCAL, HEIGHT / 2], [0, 0, 1]]),
    }


def expected_pixels(body, people):
    """Joints in the picture, by the book: skinning in the world, OpenCV's projection."""
    pose = torch.from_numpy(people["pose"]).float()
    betas = torch.from_numpy(people["betas"]).float()[None]
    trans = torch.from_numpy(people["trans"]).float()
    with torch.no_grad():
        joints = body(pose[:, :3], pose[:, 3:], betas, trans).joints.numpy()
    camera = joints @ people["R"].T + people["t"]
    return camera[..., :2] / camera[..., 2:] * FOCAL + [WIDTH / 2, HEIGHT / 2]


def save_pictures(folder, names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (WIDTH, HEIGHT), (10, 200, 30)).save(path)


def check(annotations, folder, body, people):
    """Labels project where the book says, and crops have the size asked for."""
    pictures, labels = cut_out(annotations, folder, body, 48, 1.3)
    assert pictures.image.shape == (FRAMES, 48, 48, 3)
    bodies = bodies_of(labels)
    joints = SkeletonBody(body, 10).joints(bodies)
    intrinsics = torch.from_numpy(pictures.intrinsics)
    places = project(joints, bodies.camera, intrinsics).numpy()
    pixels = expected_pixels(body, people)
    low, high = pixels.min(1), pixels.max(1)
    side = 1.3 * (high - low).max(1)[:, None, None]
    found = ((low + high) / 2)[:, None] + places * side / 2
    np.testing.assert_allclose(found, pixels, atol=0.02)


def sequence(people):
    extrinsics = np.tile(np.eye(4), (FRAMES, 1, 1))
    extrinsics[:, :3, :3], extrinsics[:, :3, 3] = people["R"], people["t"]
    return {
        "sequence": "downtown_walk_00",
        "poses": [people["pose"]],
        "betas": [np.concatenate([people["betas"], np.zeros(290)])],
        "trans": [people["trans"]],
        "campose_valid": [np.ones(FRAMES, int)],
        "cam_intrinsics": people["K"],
        "cam_poses": extrinsics,
        "img_frame_ids": np.arange(FRAMES) * 2,
        "genders": ["m"],
    }


def test_3dpw(body, people, tmp_path):
    path = tmp_path / "sequence.pkl"
    path.write_bytes(pickle.dumps(sequence(people), protocol=2))
    annotations = read_3dpw(path, body)
    assert annotations.image[1] == "downtown_walk_00/image_00002.jpg"
    save_pictures(tmp_path, annotations.image)
    check(annotations, tmp_path, body, people)


def test_3dpw_leaves_out_frames_with_a_wrong_camera(body, people, tmp_path):
    content = sequence(people)
    content["campose_valid"] = [np.array([1, 0, 1, 1])]
    path = tmp_path / "sequence.pkl"
    path.write_bytes(pickle.dumps(content))
    assert read_3dpw(path, body).frame.tolist() == [0, 4, 6]


@pytest.mark.parametrize("rows", [0, 3])
def test_3dpw_with_fewer_poses_than_frames_is_refused(rows, body, people, tmp_path):
    content = sequence(people)
    content["poses"] = [np.zeros((FRAMES, 18 * rows))]
    path = tmp_path / "sequence.pkl"
    path.write_bytes(pickle.dumps(content))
    with pytest.raises(UserError, match="sequence.pkl: .* differ in number"):
        read_3dpw(path, body)


class Evil:
    def __reduce__(self):
        return print, ("run",)


def test_a_pickle_that_runs_code_is_refused(body, tmp_path, capsys):
    path = tmp_path / "sequence.pkl"
    path.write_bytes(pickle.dumps({"poses": Evil()}))
    with pytest.raises(UserError, match="sequence.pkl: not a readable pickle.*print"):
        read_3dpw(path, body)
    assert capsys.readouterr().out == ""


def test_3dpw_without_a_field_is_named(body, people, tmp_path):
    content = sequence(people)
    del content["trans"]
    path = tmp_path / "sequence.pkl"
    path.write_bytes(pickle.dumps(content))
    with pytest.raises(UserError, match="sequence.pkl: not a 3DPW sequence .*trans"):
        read_3dpw(path, body)


def write_h36m(folder, people):
    camera = {
        "R": people["R"].tolist(),
        "t": (1000 * people["t"]).tolist(),
        "f": [FOCAL, FOCAL],
        "c": [WIDTH / 2, HEIGHT / 2],
    }
    images = [
        {
            "file_name": f"s_01_act_02/{frame:06d}.jpg",
            "action_idx": 2,
            "subaction_idx": 1,
            "cam_idx": 1,
            "frame_idx": frame,
        }
        for frame in range(FRAMES + 1)  # the last has no fit
    ]
    fits = {
        str(frame): {
            "pose": people["pose"][frame].tolist(),
            "shape": people["betas"].tolist(),
            "trans": people["trans"][frame].tolist(),
        }
        for frame in range(FRAMES)
    }
    for kind, content in (
        ("data", {"images": images, "annotations": []}),
        ("camera", {"1": camera}),
        ("SMPL_NeuralAnnot", {"2": {"1": fits}}),
    ):
        (folder / f"Human36M_subject1_{kind}.json").write_text(json.dumps(content))


def test_h36m(body, people, tmp_path):
    write_h36m(tmp_path, people)
    annotations = read_h36m(tmp_path, 1, body)
    save_pictures(tmp_path, annotations.image)
    check(annotations, tmp_path, body, people)
    assert read_h36m(tmp_path, 1, body, every=2).frame.tolist() == [0, 2]


def write_humandata(path, people):
    """HumanData: the camera frame is the world, members may be pickled dictionaries."""
    turned = people["camera_pose"]
    content = {
        "image_path": np.array([f"a/{frame}.png" for frame in range(FRAMES)]),
        "smpl": np.array(
            {
                "global_orient": turned[0],
                "body_pose": people["pose"][:, 3:].reshape(FRAMES, 23, 3),
                "betas": np.tile(people["betas"], (FRAMES, 1)),
                "transl": turned[1],
            },
            dtype=object,
        ),
        "misc": np.array(
            {
                "focal_length": np.full((FRAMES, 2), FOCAL),
                "principal_point": np.tile([WIDTH / 2, HEIGHT / 2], (FRAMES, 1)),
            },
            dtype=object,
        ),
    }
    np.savez(path, **content)


def test_humandata(body, people, tmp_path):
    import roma

    turn = torch.from_numpy(people["R"])
    pose = torch.from_numpy(people["pose"][:, :3])
    orient = roma.rotmat_to_rotvec(turn @ roma.rotvec_to_rotmat(pose)).numpy()
    betas = torch.from_numpy(people["betas"]).float()[None]
    pelvis = body.rest_joints(betas)[0, 0].numpy()
    # SMPL turns about the rest pelvis, so a turned world moves the translation.
    moved = (people["trans"] + pelvis) @ people["R"].T + people["t"] - pelvis
    write_humandata(tmp_path / "set.npz", {**people, "camera_pose": (orient, moved)})
    annotations = read_humandata(tmp_path / "set.npz", body)
    save_pictures(tmp_path, annotations.image)
    check(annotations, tmp_path, body, people)


def test_humandata_that_runs_code_is_refused(body, tmp_path):
    np.savez(tmp_path / "set.npz", smpl=np.array(Evil(), dtype=object))
    with pytest.raises(UserError, match="set.npz: not a readable npz file"):
        read_humandata(tmp_path / "set.npz", body)
    with zipfile.ZipFile(tmp_path / "cut.npz", "w") as archive:
        archive.writestr("smpl.npy", b"\x93NUMPY")
    with pytest.raises(UserError, match="cut.npz: not a readable npz file"):
        read_humandata(tmp_path / "cut.npz", body)


def test_pictures_outside_the_folder_missing_or_tiny_are_named(body, people, tmp_path):
    content = sequence(people) | {"sequence": "../.."}
    path = tmp_path / "sequence.pkl"
    path.write_bytes(pickle.dumps(content))
    annotations = read_3dpw(path, body)
    with pytest.raises(UserError, match="leads out of the folder"):
        cut_out(annotations, tmp_path / "imageFiles", body, 48, 1.3)
    path.write_bytes(pickle.dumps(sequence(people)))
    annotations = read_3dpw(path, body)
    with pytest.raises(UserError, match="image_00000.jpg: not a readable picture"):
        cut_out(annotations, tmp_path, body, 48, 1.3)
    save_pictures(tmp_path, annotations.image)
    with pytest.raises(UserError, match="image_00000.jpg: a person of 1. pixels is too small"):
        cut_out(annotations, tmp_path, body, 48, 0.1)
