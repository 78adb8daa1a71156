"""Readers of the real test sets, on small files in their layouts."""

import pickle
import sys
import types

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from poseloop.posegen.real.agora import read_agora
from poseloop.posegen.real.crops import box_of
from poseloop.posegen.real.mpi_inf_3dhp import read_mpi_inf_3dhp
from poseloop.posegen.real.pickles import read_frame, read_pickle
from poseloop.posegen.real.ski_pose import read_ski_pose
from poseloop.posegen.real.threedpw import read_threedpw
from poseloop.runtime.errors import UserError

RNG = np.random.default_rng(0)


def picture(path, size=(64, 48), dot=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    array = np.full((size[1], size[0], 3), 90, np.uint8)
    if dot is not None:
        array[dot[1] - 1 : dot[1] + 2, dot[0] - 1 : dot[0] + 2] = [255, 0, 0]
    Image.fromarray(array).save(path)


def write_threedpw(folder, **changes):
    """Two people, three frames; the camera of one frame is not valid."""
    joints = RNG.normal(0, 0.3, (3, 24, 3))
    camera = np.tile(np.eye(4), (3, 1, 1))
    camera[:, 2, 3] = 4.0
    content = {
        "sequence": "../../elsewhere",
        "jointPositions": [joints.reshape(3, 72), joints.reshape(3, 72)],
        "cam_poses": camera,
        "cam_intrinsics": np.array([[60.0, 0, 32], [0, 60, 24], [0, 0, 1]]),
        "campose_valid": [np.array([1, 0, 1]), np.array([0, 0, 1])],
        "img_frame_ids": np.array([0, 1, 2]),
        "genders": ["m", "f"],
        **changes,
    }
    path = folder / "sequenceFiles/test/walk_00.pkl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(pickle.dumps(content, protocol=2))
    for frame in range(3):
        picture(folder / f"imageFiles/walk_00/image_{frame:05d}.jpg")
    return joints


def test_threedpw_gives_valid_people_in_our_camera_frame(tmp_path):
    joints = write_threedpw(tmp_path)
    images = read_threedpw(tmp_path, "test", 32)
    assert images.rgb.shape == (3, 32, 32, 3)
    assert images.names.tolist() == ["image_00000", "image_00002", "image_00002"]
    expected = (joints[0] - joints[0, :1]) * [1, -1, -1]
    assert np.allclose(images.joints[0], expected, atol=1e-6)
    assert len(read_threedpw(tmp_path, "test", 32, every=3).rgb) == 1


def test_threedpw_faults_name_file_and_field(tmp_path):
    with pytest.raises(UserError, match="no sequenceFiles/test"):
        read_threedpw(tmp_path, "test", 32)
    write_threedpw(tmp_path, cam_intrinsics=np.eye(2))
    with pytest.raises(UserError, match=r"walk_00.pkl: cam_intrinsics"):
        read_threedpw(tmp_path, "test", 32)
    path = tmp_path / "sequenceFiles/test/walk_00.pkl"
    path.write_bytes(pickle.dumps({"cam_poses": 1}))
    with pytest.raises(UserError, match="lacks jointPositions, cam_intrinsics"):
        read_threedpw(tmp_path, "test", 32)


class Evil:
    def __reduce__(self):
        return print, ("run",)


def test_a_pickle_that_names_a_function_is_refused(tmp_path):
    path = tmp_path / "x.pkl"
    path.write_bytes(pickle.dumps({"a": [Evil()]}))
    with pytest.raises(UserError, match=r"x.pkl: not a readable pickle.*print is not allowed"):
        read_pickle(path)


def write_3dhp(folder, **changes):
    dots = [(20, 20), (40, 30)]
    for number, dot in enumerate(dots):
        picture(folder / f"TS1/img_{number}.jpg", dot=dot)
    skeleton = RNG.normal(0, 0.3, (2, 24, 4))
    skeleton[..., 3] = 1
    arrays = {
        "imgname": np.array(["TS1/img_0.jpg", "TS1/img_1.jpg"]),
        "center": np.array(dots, float),
        "scale": np.full(2, 0.1),
        "S": skeleton,
        **changes,
    }
    np.savez(folder / "mpi_inf_3dhp_valid.npz", **arrays)
    return skeleton


def test_3dhp_crops_around_the_centre_and_orders_joints(tmp_path):
    skeleton = write_3dhp(tmp_path)
    images = read_mpi_inf_3dhp(tmp_path, 20)
    assert images.rgb.shape == (2, 20, 20, 3)
    # The dot at the box's centre comes to the crop's centre.
    assert images.rgb[1, 10, 10, 0] > 180 and images.rgb[1, 2, 2, 0] < 120
    left_knee = images.indices.tolist().index(4)
    expected = (skeleton[0, 4, :3] - skeleton[0, 14, :3]) * [1, -1, -1]
    assert np.allclose(images.joints[0, left_knee], expected, atol=1e-6)


def test_3dhp_names_that_leave_the_folder_are_refused(tmp_path):
    write_3dhp(tmp_path, imgname=np.array(["../secret.jpg", "TS1/img_1.jpg"]))
    with pytest.raises(UserError, match="leads out of"):
        read_mpi_inf_3dhp(tmp_path, 20)
    write_3dhp(tmp_path, scale=np.ones(3))
    with pytest.raises(UserError, match=r"scale has the shape \(3,\)"):
        read_mpi_inf_3dhp(tmp_path, 20)


def test_ski_pose_reads_crops_by_sequence_camera_and_frame(tmp_path):
    joints = RNG.normal(0, 0.5, (2, 51))
    picture(tmp_path / "test/seq_003/cam_01/image_000007.png", size=(256, 256))
    picture(tmp_path / "test/seq_003/cam_02/image_000007.png", size=(256, 256))
    labels = {"seq": [3, 3], "cam": [1, 2], "frame": [7, 7], "3D": joints}
    np.savez(tmp_path / "test/labels.npz", **labels)
    images = read_ski_pose(tmp_path, "test", 32)
    right_hip = images.indices.tolist().index(2)
    expected = (joints[1, 3:6] - joints[1, :3]) * [1, -1, -1]
    assert np.allclose(images.joints[1, right_hip], expected, atol=1e-6)
    (tmp_path / "test/labels.npz").unlink()
    with pytest.raises(UserError, match="labels of SKI-PosePTZ"):
        read_ski_pose(tmp_path, "test", 32)
    (tmp_path / "test/labels.h5").write_bytes(b"no HDF5")
    with pytest.raises(UserError, match="labels.h5"):
        read_ski_pose(tmp_path, "test", 32)


def agora_columns():
    deep = [RNG.normal(0, 0.3, (45, 3)) for _ in range(2)]
    flat = [point[:, :2] * 20 + 30 for point in deep]
    return deep, {
        "imgPath": ["a.png"],
        "isValid": [[True, False]],
        "gt_joints_2d": [flat],
        "gt_joints_3d": [deep],
    }


def check_agora(folder, deep):
    picture(folder / "images/a.png")
    images = read_agora(folder, folder / "images", 32)
    assert len(images.rgb) == 1
    expected = (deep[0][:24] - deep[0][:1]) * [1, -1, -1]
    assert np.allclose(images.joints[0], expected, atol=1e-6)


def test_agora_reads_frames_of_todays_pandas(tmp_path):
    deep, columns = agora_columns()
    frame = pd.DataFrame({name: pd.Series(v, dtype=object) for name, v in columns.items()})
    frame.columns = frame.columns.astype(object)
    frame.to_pickle(tmp_path / "validation_0_withjv.pkl")
    check_agora(tmp_path, deep)


def test_agora_reads_frames_of_the_pandas_that_wrote_them(tmp_path):
    """Before pandas 1.3 a manager's blocks were in its state."""
    deep, columns = agora_columns()
    modules = {
        "old_frame": "pandas.core.frame",
        "old_managers": "pandas.core.internals.managers",
        "old_base": "pandas.core.indexes.base",
    }

    def stand_in(module, name, bases=(object,)):
        made = type(name, bases, {"__module__": module})
        sys.modules.setdefault(module, types.ModuleType(module))
        setattr(sys.modules[module], name, made)
        return made

    frame, manager, index = (
        stand_in(*names)
        for names in (
            ("old_frame", "DataFrame"),
            ("old_managers", "BlockManager"),
            ("old_base", "Index"),
        )
    )

    def _new_index(kind, data):
        raise AssertionError("never called")

    _new_index.__module__, _new_index.__qualname__ = "old_base", "_new_Index"
    sys.modules["old_base"]._new_Index = _new_index
    index.__reduce__ = lambda self: (_new_index, (index, {"data": self.data, "name": None}))
    axis = index()
    axis.data = np.array(list(columns), object)
    values = np.empty((len(columns), 1), object)
    for row, column in enumerate(columns.values()):
        values[row, 0] = column[0]
    extra = {"axes": [axis], "blocks": [{"values": values, "mgr_locs": slice(0, 4, 1)}]}
    manager.__reduce__ = lambda self: (manager, (), ([axis], [], [], {"0.14.1": extra}))
    table = frame()
    table.__dict__["_data"] = manager()
    data = pickle.dumps(table, protocol=2)
    for name, real in modules.items():
        data = data.replace(f"c{name}\n".encode(), f"c{real}\n".encode())
        del sys.modules[name]
    (tmp_path / "train_0_withjv.pkl").write_bytes(data)
    check_agora(tmp_path, deep)


def test_agora_faults_are_named(tmp_path):
    with pytest.raises(UserError, match="no \\*_withjv.pkl"):
        read_agora(tmp_path, tmp_path, 32)
    path = tmp_path / "x_withjv.pkl"
    path.write_bytes(pickle.dumps({"imgPath": []}))
    with pytest.raises(UserError, match="not a data frame"):
        read_frame(path)


def test_a_box_holds_all_joints():
    points = np.array([[10.0, 20], [30, 80]])
    x, y, side = box_of(points)
    assert (x, y) == (20, 50)
    assert side > 60
