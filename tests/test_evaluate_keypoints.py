"""The keypoint check: what it finds, what it rejects, and the pose set that is left."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from tiny_animate import AUTOENCODER
from torch import nn

from poseloop.body.joints import JOINT, MIRROR
from poseloop.data.clipset import ClipSet
from poseloop.data.store import PoseSet, SelectedPoses
from poseloop.evaluate.acceptance import accept_frames, drawn_pose_set
from poseloop.evaluate.animation import compare_sequences
from poseloop.evaluate.frame_check import FrameCheck, held_out_values, pose_set_values
from poseloop.evaluate.judge_training import target_maps
from poseloop.evaluate.keypoints import (
    calibrate,
    colours_alone,
    find_joints,
    joint_errors,
    leave_out_clips,
)
from poseloop.multiview.autoencoder import Autoencoder
from poseloop.multiview.encoding import encode_set
from poseloop.report.animation import animate_markdown, make_animate_table
from poseloop.report.config import ReportConfig
from poseloop.report.figure_animate import Strip, draw_strips
from poseloop.runtime.config import load_config
from poseloop.runtime.errors import UserError
from poseloop.runtime.files import read_npz, write_npz

ROOT = Path(__file__).resolve().parents[1]
SIZE, COUNT, FRAMES = 32, 2, 3
RNG = np.random.default_rng(0)


class Codebook(nn.Module):
    """A perfect check: a picture's first pixel says which of the given skeletons it shows."""

    def __init__(self, places: np.ndarray) -> None:
        super().__init__()
        column, row = 0.5 + places[..., 0], 0.5 - places[..., 1]
        self.places = torch.from_numpy(np.stack([column, row], -1)).float()

    def forward(self, pictures: torch.Tensor) -> tuple[torch.Tensor, None]:
        code = ((pictures[:, 0, 0, 0] + 1) * 127.5).round().long()
        assert not pictures[:, 3:].abs().gt(0.01).any(), "the check is told of no normals"
        return (target_maps(self.places[code], SIZE // 2, 1.0) + 1e-12).log(), None


@pytest.fixture
def clips() -> ClipSet:
    """Every frame shows another pose, the last of sequence 1 none of the selected ones."""
    joints2d = RNG.uniform(-0.3, 0.3, (COUNT, FRAMES, 24, 2)).astype(np.float32)
    # Left and right must differ for a swap to be seen.
    joints2d[..., JOINT["left_hand"], 0], joints2d[..., JOINT["right_hand"], 0] = -0.4, 0.4
    rgb = np.full((COUNT, FRAMES, SIZE, SIZE, 3), 255, np.uint8)
    rgb[..., 10:22, 12:20, :] = RNG.integers(0, 200, (COUNT, FRAMES, 12, 8, 3))
    rgb[..., 0, 0, :] = np.arange(COUNT * FRAMES).reshape(COUNT, FRAMES, 1)
    parts = np.zeros_like(rgb)
    parts[..., 11:21, 13:19, :] = 200
    pose = np.array([[4, 5, 6], [0, 1, -1]], np.int32)
    return ClipSet(
        reference_rgb=rgb[:, 0],
        rgb=rgb,
        mask=parts[..., 0],
        parts=parts,
        joints2d=joints2d,
        window=np.tile(np.array([0, 0, 0.8], np.float32), (COUNT, FRAMES, 1)),
        joints=RNG.normal(size=(COUNT, FRAMES, 24, 3)).astype(np.float32),
        metres_per_unit=np.full((COUNT, FRAMES), 2.0, np.float32),
        global_orient=np.zeros((COUNT, FRAMES, 3), np.float32),
        body_pose=RNG.normal(size=(COUNT, FRAMES, 69)).astype(np.float32),
        betas=np.arange(COUNT * 10, dtype=np.float32).reshape(COUNT, 10),
        clip=np.array(["a", "b"]),
        body_id=np.array([7, 8], np.int32),
        pose=pose,
    )


@pytest.fixture
def check(clips) -> FrameCheck:
    skeletons = clips.joints2d.reshape(-1, 24, 2)
    return FrameCheck(Codebook(np.concatenate([skeletons, skeletons[:, MIRROR]])), 4)


@pytest.fixture
def selected() -> SelectedPoses:
    count = 7
    return SelectedPoses(
        global_orient=np.zeros((count, 3), np.float32),
        body_pose=np.zeros((count, 69), np.float32),
        clip=np.array([f"clip{i}" for i in range(count)]),
        frame=np.arange(count, dtype=np.int32),
        mirrored=np.zeros(count, bool),
        anchor=np.arange(count, dtype=np.int32),
        neighbour=np.zeros(count, np.int32),
        ordinary=np.arange(count) % 2 == 0,
    )


def test_joints_are_found_between_pixels(clips, check):
    found = find_joints(check.network, clips.rgb.reshape(-1, SIZE, SIZE, 3), 4)
    assert np.abs(found - clips.joints2d.reshape(-1, 24, 2)).max() < 0.5 / SIZE


def test_errors_are_millimetres_in_the_picture_plane(clips):
    moved = clips.joints2d + np.array([0.03, 0.04])
    errors = joint_errors(moved, clips.joints2d, clips.window, clips.metres_per_unit)
    # 0.05 picture sides of 2 m / 0.8.
    assert np.allclose(errors, 125.0, rtol=1e-3)


def test_a_frame_whose_skeleton_is_swapped_is_rejected(clips, check):
    threshold = 1.5 * calibrate(check.errors(clips.rgb, clips), 0.95)
    frames = clips.rgb.copy()
    frames[0, 1, 0, 0] += COUNT * FRAMES  # the same pose with left and right exchanged
    frames[1, 0, 0, 0] = clips.rgb[0, 2, 0, 0]  # another pose
    errors = check.errors(frames, clips)
    accepted = accept_frames(errors, clips.pose, threshold)
    assert accepted.tolist() == [[True, False, True], [False, True, False]]


def test_the_threshold_is_a_quantile_of_true_renders():
    assert calibrate(np.arange(101.0), 0.9) == pytest.approx(90)


def test_accepted_frames_are_a_pose_set_that_the_encoder_reads(clips, selected, tmp_path):
    accepted = np.array([[True, False, True], [False, True, False]])
    pose_set, pose = drawn_pose_set(clips, clips.rgb, accepted, selected, 0.25)
    path = tmp_path / "images.npz"
    write_npz(path, {**vars(pose_set), "pose": pose})
    assert read_npz(path, "pose")["pose"].tolist() == [4, 6, 1]
    read = PoseSet.load(path)
    assert read.clip.tolist() == ["clip4", "clip6", "clip1"]
    assert read.ordinary.tolist() == [True, True, False]
    assert read.body_id.tolist() == [7, 7, 8]
    assert np.array_equal(read.body_pose, clips.body_pose[accepted])
    assert np.array_equal(read.joints, clips.joints[accepted])
    # The person fills more of the picture than of the sequence's frame.
    assert (read.input_mask > 127).sum() > 1.2 * (clips.parts[accepted].max(-1) > 127).sum()
    torch.manual_seed(0)
    autoencoder = Autoencoder(AUTOENCODER)
    # As scripts/encode_latents.py reads a pose set.
    arrays = read_npz(path, "input_rgb", "input_mask", "joints")
    kept = {name: arrays[name] for name in ("input_rgb", "input_mask", "joints")}
    latents = encode_set(autoencoder, kept, "images", [], 4)
    assert latents.image_latents.shape[0] == latents.joints.shape[0] == 3
    assert latents.latents is None


def test_no_accepted_frame_leaves_an_empty_pose_set_and_a_table(clips, selected, tmp_path):
    nothing = np.zeros((COUNT, FRAMES), bool)
    pose_set, pose = drawn_pose_set(clips, clips.rgb, nothing, selected, 0.25)
    pose_set.save(tmp_path / "images.npz")
    assert len(PoseSet.load(tmp_path / "images.npz")) == len(pose) == 0
    errors = np.full((COUNT, FRAMES), 99.0)
    values = pose_set_values(errors, errors, clips.pose, nothing, 35.0)
    assert values["animate"]["rejection_rate"] == [1, 1]
    assert "accepted" not in values


def test_the_check_learns_no_normals_and_no_held_out_clip():
    scans = {
        "rgb": np.arange(4, dtype=np.uint8),
        "normal": np.zeros(4, np.uint8),
        "azimuths": np.zeros(6),
    }
    assert (colours_alone(scans)["normal"] == 128).all()
    left = leave_out_clips(scans, np.array(["a", "b+c", "c+a", "c"]), ["a", "b"])
    assert left["rgb"].tolist() == [3]
    assert len(left["azimuths"]) == 6
    with pytest.raises(UserError, match="no scan of the judge is left"):
        leave_out_clips(scans, np.array(["a"] * 4), ["a"])


def test_still_and_flickering_sequences_are_told_from_the_truth():
    steps = np.arange(FRAMES)[None, :, None, None, None]
    truth = np.broadcast_to(50 + 10 * steps, (1, FRAMES, SIZE, SIZE, 3)).astype(np.uint8)
    still = np.repeat(truth[:, :1], FRAMES, axis=1)
    flicker = truth + np.array([0, 30, 0], np.uint8)[None, :, None, None, None]
    assert compare_sequences(truth, truth)["change_error"] == [0.0]
    assert compare_sequences(truth + np.uint8(5), truth)["change_error"] == [0.0]
    assert compare_sequences(still, truth)["change_error"][0] == pytest.approx(10 / 2.55)
    assert compare_sequences(flicker, truth)["change_error"][0] == pytest.approx(30 / 2.55)


def test_table_pairs_the_accepted_frames_with_the_renderer_on_the_same(clips):
    errors = np.array([[10.0, 50.0, 30.0], [80.0, 20.0, 99.0]])
    renderer = np.array([[10.0, 12.0, 14.0], [8.0, 40.0, 70.0]])
    accepted = accept_frames(errors, clips.pose, 35.0)
    poseset = pose_set_values(renderer, errors, clips.pose, accepted, 35.0)
    assert poseset["animate"]["keypoint_error"] == [30, 50]
    assert poseset["animate"]["rejection_rate"] == pytest.approx([1 / 3, 0.5], abs=1e-5)
    assert poseset["renderer"]["rejection_rate"] == [0, 0.5]
    assert poseset["accepted"]["keypoint_error"] == [20, 20]
    assert poseset["renderer_accepted"]["keypoint_error"] == [12, 40]
    frames = {"renderer": clips.rgb, "reference": clips.rgb[:, ::-1], "animate": clips.rgb}
    same = {"renderer": renderer, "reference": 2 * renderer, "animate": renderer}
    held_out = held_out_values(same, frames, "renderer", 35.0)
    assert "psnr" not in held_out["renderer"]
    config = load_config(ROOT / "config/smoke/report.yaml", ReportConfig)
    table = make_animate_table({"held_out": held_out, "poseset": poseset}, config)
    row = table[(table.benchmark == "poseset") & (table.method == "animate, accepted frames")]
    assert row["baseline"].tolist() == ["renderer, accepted frames"]
    assert row["relative_gain"].tolist() == [pytest.approx(6 / 26, abs=1e-4)]
    row = table[(table.metric == "keypoint_error") & (table.baseline == "reference repeated")]
    assert row["relative_gain"].tolist() == [0.5]
    text = animate_markdown(pd.DataFrame(table))
    assert "reference repeated" in text
    assert "over base" not in text


def test_figure_has_three_rows_a_sequence_and_outlines_the_rejected(clips):
    strip = Strip(
        "x",
        clips.reference_rgb[0],
        clips.parts[0],
        clips.rgb[0],
        clips.rgb[0],
        np.array([False, True, False]),
    )
    figure = draw_strips([strip, strip], 3)
    axes = np.array(figure.axes).reshape(6, 4)
    outlined = [[axis.spines["top"].get_visible() for axis in row] for row in axes]
    assert np.argwhere(outlined).tolist() == [[1, 2], [4, 2]]
    assert len(axes[1, 0].images) == 1
