import numpy as np
import pytest
from PIL import Image
from test_data_poseset import CONFIG
from tiny_data import make_body, make_clips

from poseloop.data.config import PoseSetConfig
from poseloop.data.frames import fit_frame, read_pose_set
from poseloop.data.poses import read_poses
from poseloop.data.poseset import select_poses
from poseloop.runtime.errors import UserError


def frame(height=120, width=200, box=(20, 100, 50, 90)) -> np.ndarray:
    """RGBA with a red person in `box` (top, bottom, left, right) before green."""
    image = np.zeros((height, width, 4), np.uint8)
    image[..., 1] = 255
    top, bottom, left, right = box
    image[top:bottom, left:right] = (200, 0, 0, 255)
    return image


@pytest.mark.parametrize("box", [(20, 100, 50, 90), (0, 120, 0, 60), (50, 70, 10, 190)])
def test_person_is_centred_and_scaled(tmp_path, box):
    Image.fromarray(frame(box=box)).save(tmp_path / "f.png")
    picture, mask = fit_frame(tmp_path / "f.png", extent=0.75, size=64)
    rows, columns = (np.flatnonzero((mask > 127).any(axis=axis)) for axis in (1, 0))
    assert abs(rows[0] + rows[-1] - 63) <= 1
    assert abs(columns[0] + columns[-1] - 63) <= 1
    assert abs(max(np.ptp(rows), np.ptp(columns)) + 1 - 48) <= 1
    assert (picture[mask == 0] == 255).all()
    assert np.abs(picture[mask == 255].astype(int) - [200, 0, 0]).max() <= 1


def test_mask_beside_the_frame_serves_as_alpha(tmp_path):
    image = frame()
    Image.fromarray(image).save(tmp_path / "a.png")
    Image.fromarray(image[..., :3]).save(tmp_path / "b.png")
    Image.fromarray(image[..., 3]).save(tmp_path / "b_mask.png")
    for first, second in zip(
        fit_frame(tmp_path / "a.png", 0.9, 32), fit_frame(tmp_path / "b.png", 0.9, 32), strict=True
    ):
        assert np.array_equal(first, second)


def test_faults_name_the_file(tmp_path):
    bare = tmp_path / "bare.png"
    Image.fromarray(frame()[..., :3]).save(bare)
    with pytest.raises(UserError, match="bare.png: has no alpha channel.*no bare_mask.png"):
        fit_frame(bare, 0.9, 32)
    Image.fromarray(np.zeros((5, 5), np.uint8)).save(tmp_path / "bare_mask.png")
    with pytest.raises(UserError, match="bare_mask.png: is"):
        fit_frame(bare, 0.9, 32)
    empty = tmp_path / "empty.png"
    Image.fromarray(frame(box=(0, 0, 0, 0))).save(empty)
    with pytest.raises(UserError, match="empty.png: the mask shows nobody"):
        fit_frame(empty, 0.9, 32)
    broken = tmp_path / "broken.png"
    broken.write_bytes(empty.read_bytes()[:60])
    with pytest.raises(UserError, match="broken.png: not a readable picture"):
        fit_frame(broken, 0.9, 32)


def test_folder_becomes_a_pose_set(tmp_path):
    body = make_body(tmp_path / "body")
    poses = read_poses(make_clips(tmp_path / "clips.npz"), ("train",))
    selected = select_poses(poses, CONFIG.selection, body, 0)
    folder = tmp_path / "frames"
    content = CONFIG.model_dump() | {"generator": "frames", "frames": {"path": str(folder)}}
    config = PoseSetConfig.model_validate(content)
    with pytest.raises(UserError, match="folder of frames"):
        read_pose_set(config, selected, body)
    folder.mkdir()
    for anchor, neighbour in zip(selected.anchor, selected.neighbour, strict=True):
        Image.fromarray(frame()).save(folder / f"{anchor:04d}_{neighbour:02d}.png")
    made = read_pose_set(config, selected, body)
    assert made.input_rgb.shape == (20, 64, 64, 3)
    assert np.abs(made.joints).max() <= 0.5
    (folder / "0002_01.png").unlink()
    with pytest.raises(UserError, match="lacks 1 of 20 frames, first 0002_01.png"):
        read_pose_set(config, selected, body)
