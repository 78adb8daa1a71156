"""The body model: file format, skinning, kinematics, SMPL-H and SMPL-X."""

import numpy as np
import pytest
import smplx
import torch
from smplx.lbs import lbs
from smplx.vertex_ids import vertex_ids
from tiny_body import rest_joints, smpl_arrays

from poseloop.body.collapse import collapse
from poseloop.body.files import read_body, write_body
from poseloop.body.joints import BONES, JOINT, LEFT_RIGHT, MIRROR, PARENTS
from poseloop.body.kinematics import forward_kinematics
from poseloop.body.model import BodyModel, load_body
from poseloop.runtime.errors import UserError


def random_pose(count: int) -> tuple[torch.Tensor, ...]:
    generator = torch.Generator().manual_seed(0)
    sizes = (3, 69, 10, 3)  # global_orient, body_pose, betas, transl
    return tuple(0.5 * torch.randn(count, size, generator=generator) for size in sizes)


def test_tree_of_joints():
    assert all(parent < child for parent, child in BONES)
    assert len(BONES) == 23
    assert len(LEFT_RIGHT) == 9
    assert tuple(MIRROR[MIRROR[joint]] for joint in range(24)) == tuple(range(24))
    assert MIRROR[JOINT["left_wrist"]] == JOINT["right_wrist"]


def test_same_as_smplx_own_model(tmp_path):
    write_body(tmp_path, smpl_arrays())
    body = load_body(tmp_path)
    orient, pose, betas, transl = random_pose(3)
    mine = body(orient, pose, betas, transl)
    # The extra joints that smplx picks by SMPL's vertex numbers are not used.
    ids = dict.fromkeys(vertex_ids["smplh"], 0)
    theirs = smplx.create(str(tmp_path), model_type="smpl", vertex_ids=ids)
    posed = theirs(betas=betas, body_pose=pose, global_orient=orient, transl=transl)
    assert torch.allclose(mine.vertices, posed.vertices, atol=1e-6)
    assert torch.allclose(mine.joints, posed.joints[:, :24], atol=1e-6)


def test_pickle_and_npz_agree(tmp_path):
    write_body(tmp_path, smpl_arrays())
    npz = read_body(tmp_path / "smpl" / "SMPL_NEUTRAL.npz")
    pkl = read_body(tmp_path / "smpl" / "SMPL_NEUTRAL.pkl")
    assert npz.keys() == pkl.keys()
    assert all(np.array_equal(npz[name], pkl[name]) for name in npz)


def test_same_arrays_same_bytes(tmp_path):
    for folder in ("a", "b"):
        write_body(tmp_path / folder, smpl_arrays())
    for suffix in (".npz", ".pkl"):
        first, second = (
            (tmp_path / folder / "smpl" / f"SMPL_NEUTRAL{suffix}").read_bytes() for folder in "ab"
        )
        assert first == second


def test_kinematics_follow_the_mesh_model():
    body = BodyModel(read_like(smpl_arrays()))
    orient, pose, betas, transl = random_pose(4)
    joints = forward_kinematics(orient, pose, body.rest_joints(betas), transl)
    assert torch.allclose(joints, body(orient, pose, betas, transl).joints, atol=1e-5)


def test_left_elbow_bends_forward():
    pose = torch.zeros(1, 69)
    pose.reshape(23, 3)[JOINT["left_elbow"] - 1, 1] = -torch.pi / 2
    joints = forward_kinematics(torch.zeros(1, 3), pose, torch.from_numpy(rest_joints()).float())
    forearm = joints[0, JOINT["left_wrist"]] - joints[0, JOINT["left_elbow"]]
    assert torch.allclose(forearm, torch.tensor([0.0, 0.0, 0.26]), atol=1e-6)


def test_a_batch_of_one_serves_all():
    body = BodyModel(read_like(smpl_arrays()))
    orient, pose, betas, _ = random_pose(3)
    shared = body(orient, pose, betas[:1])
    repeated = body(orient, pose, betas[:1].repeat(3, 1))
    assert torch.equal(shared.vertices, repeated.vertices)
    assert body().vertices.shape == (1, 144, 3)


@pytest.mark.parametrize(("model_type", "face", "count"), [("smplh", 0, 52), ("smplx", 3, 55)])
def test_collapsing_hands_and_face_is_exact(model_type, face, count):
    parents = [*PARENTS[:22], *[JOINT["head"]] * face]
    for wrist in (JOINT["left_wrist"], JOINT["right_wrist"]):
        for _ in range(5):
            parents += [wrist, len(parents), len(parents) + 1]
    rng = np.random.default_rng(1)
    joints = np.concatenate([rest_joints()[:22], rng.normal(0, 0.3, (count - 22, 3))])
    arrays = smpl_arrays(joints, parents)
    _, pose, betas, _ = random_pose(2)
    body = BodyModel(read_like(collapse(arrays, model_type)))
    pose[:, 63:] = 0  # flat hands
    full = torch.zeros(2, 3 * count)
    full[:, 3:66] = pose[:, :63]
    tensors = {name: torch.from_numpy(arrays[name]) for name in arrays if name != "f"}
    vertices, _ = lbs(
        betas,
        full,
        tensors["v_template"],
        tensors["shapedirs"],
        tensors["posedirs"].reshape(-1, 9 * (count - 1)).T,
        tensors["J_regressor"],
        torch.tensor(parents),
        tensors["weights"],
    )
    posed = body(body_pose=pose, betas=betas)
    assert torch.allclose(posed.vertices, vertices, atol=1e-5)
    assert posed.joints.shape == (2, 24, 3)


@pytest.mark.parametrize("kind", [bool, np.uint8, np.float16])
def test_weights_of_any_number_type_are_summed(kind, tmp_path):
    parents = [*PARENTS[:22], *[JOINT["left_wrist"]] * 15, *[JOINT["right_wrist"]] * 15]
    joints = np.random.default_rng(1).normal(0, 0.3, (52, 3))
    arrays = smpl_arrays(joints, parents)
    np.savez(tmp_path / "body.npz", **arrays | {"weights": arrays["weights"].astype(kind)})
    body = read_body(tmp_path / "body.npz", "smplh")
    assert np.array_equal(body["weights"], collapse(arrays, "smplh")["weights"])
    assert (body["weights"].sum(1) == 1).all()


def read_like(arrays: dict) -> dict:
    """What `read_body` adds."""
    owners = arrays["weights"].argmax(1).astype(np.int8)
    return {**arrays, "parts": owners, "regions": owners}


def write_changed(folder, **changes):
    arrays = {**smpl_arrays(), **changes}
    path = folder / "body.npz"
    np.savez(path, **{name: value for name, value in arrays.items() if value is not None})
    return path


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"weights": None}, "weights"),
        ({"v_template": np.zeros((144, 2), np.float32)}, "v_template"),
        ({"posedirs": np.zeros((144, 3, 9), np.float32)}, "posedirs"),
        ({"J_regressor": np.full((24, 144), np.nan, np.float32)}, "J_regressor"),
        ({"f": np.full((4, 3), 144, np.uint32)}, "f "),
        ({"kintree_table": np.zeros((2, 24), np.int64)}, "kintree_table"),
        ({"regions": np.zeros(3, np.int8)}, "regions"),
    ],
)
def test_faulty_body_file_is_named(tmp_path, changes, named):
    path = write_changed(tmp_path, **changes)
    with pytest.raises(UserError) as fault:
        read_body(path)
    assert str(path) in str(fault.value)
    assert named in str(fault.value)


def test_missing_or_truncated_body_file(tmp_path):
    with pytest.raises(UserError, match="SMPLX_NEUTRAL.npz: body file not found"):
        read_body(tmp_path, "smplx")
    path = write_changed(tmp_path)
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(UserError, match="not a readable body file"):
        read_body(path)
