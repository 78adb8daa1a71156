import dataclasses

import numpy as np
import pytest
from scipy.ndimage import maximum_filter
from tiny_data import FRAMES, SPLITS, make_body, make_clips

from poseloop.body.joints import JOINT
from poseloop.data.config import PoseSetConfig
from poseloop.data.crossing import cross_clips
from poseloop.data.diversity import diversity
from poseloop.data.poses import read_poses
from poseloop.data.poseset import describe, make_pose_set, root_aligned_joints, select_poses
from poseloop.data.store import PoseSet, SelectedPoses
from poseloop.runtime.errors import UserError

CONFIG = PoseSetConfig.model_validate(
    {
        "processes": 1,
        "selection": {
            "anchors": 5,
            "neighbours": 3,
            "stride": 2,
            "ordinary": 0.4,
            "ordinary_clips": ["walk"],
        },
        "picture": {"size": 64, "supersample": 1},
        "people": {"stream": "poseset", "bodies": 30},
        "camera": {"kind": "perspective", "pitch": [-5, 15]},
    }
)


@pytest.fixture(scope="module")
def body(tmp_path_factory):
    return make_body(tmp_path_factory.mktemp("body"))


@pytest.fixture(scope="module")
def poses(tmp_path_factory):
    clips = make_clips(tmp_path_factory.mktemp("motion") / "clips.npz")
    return read_poses(clips, CONFIG.selection.splits)


@pytest.fixture(scope="module")
def selected(poses, body):
    return select_poses(poses, CONFIG.selection, body, CONFIG.seed)


def test_no_pose_is_from_outside_training(selected):
    assert {SPLITS[clip] for clip in selected.clip.tolist()} == {"train"}


def test_crossed_clips_join_legs_and_upper_body_of_recorded_frames(poses):
    crossed = cross_clips(poses, 60.0)
    assert len(crossed.clip) > len(poses.clip)
    recorded = {
        (clip, frame): row
        for row, (clip, frame) in enumerate(zip(poses.clip, poses.frame, strict=True))
    }
    arm, knee = ((JOINT[name] - 1) * 3 for name in ("left_elbow", "left_knee"))
    for row in range(len(poses.clip), len(crossed.clip)):
        upper, _, lower = crossed.clip[row].partition("+")
        legs = poses.body_pose[recorded[lower, crossed.frame[row]]]
        pose = crossed.body_pose[row]
        assert (pose[knee : knee + 3] == legs[knee : knee + 3]).all()
        arms = poses.body_pose[poses.clip == upper, arm : arm + 3]
        assert (arms == pose[arm : arm + 3]).all(1).any()


def test_a_lying_trunk_is_not_crossed_with_a_standing_one(poses):
    global_orient = np.zeros_like(poses.global_orient)
    global_orient[poses.clip == "roll", 0] = np.pi / 2
    names = set(cross_clips(dataclasses.replace(poses, global_orient=global_orient), 60.0).clip)
    assert {"walk+punch", "punch+walk"} <= names
    assert not any("+" in name and "roll" in name for name in names)


def test_anchors_bring_their_neighbours(selected):
    assert len(selected.clip) == 5 * 4
    for anchor in range(5):
        rows = selected.anchor == anchor
        assert selected.neighbour[rows].tolist() == [0, 1, 2, 3]
        assert len(set(selected.clip[rows])) == len(set(selected.mirrored[rows])) == 1
        assert (np.diff(selected.frame[rows]) == CONFIG.selection.stride).all()
        assert selected.frame[rows].max() < FRAMES


def test_ordinary_share(selected):
    assert selected.ordinary.sum() == 2 * 4
    assert set(selected.clip[selected.ordinary]) == {"walk"}


def test_selection_is_more_spread_than_chance(poses, body):
    config = CONFIG.selection.model_copy(update={"neighbours": 0, "ordinary": 0.0, "anchors": 12})
    chosen = select_poses(poses, config, body, 0)
    joints = [root_aligned_joints(body, p.global_orient, p.body_pose) for p in (chosen, poses)]
    assert diversity(*joints)["ratio"] > 1.2


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"anchors": 10_000}, "selection.anchors: 10000 of 144 poses"),
        ({"ordinary_clips": ("swim",)}, "selection.ordinary_clips: none of swim is in split train"),
    ],
)
def test_impossible_selections_name_the_field(poses, body, changes, message):
    with pytest.raises(UserError, match=message):
        select_poses(poses, CONFIG.selection.model_copy(update=changes), body, 0)


def test_diversity_is_a_ratio_of_spreads():
    joints = np.random.default_rng(0).normal(size=(500, 24, 3))
    result = diversity(2 * joints, joints)
    assert result["ratio"] == pytest.approx(2)
    edges = np.array(result["distance_bin_edges_m"])
    for name in ("poseset", "scans"):
        assert (np.diff(edges) * result["distance_density"][name]).sum() == pytest.approx(
            1, abs=0.01
        )


def test_pictures_show_the_pose_and_nothing_else(selected, body, tmp_path):
    made = make_pose_set(CONFIG, selected, body)
    made.save(tmp_path / "images.npz")
    with np.load(tmp_path / "images.npz") as archive:
        assert set(archive.files) == {field.name for field in dataclasses.fields(PoseSet)}
        assert archive["input_rgb"].shape == (20, 64, 64, 3)
    assert np.array_equal(made.clip, selected.clip)
    assert np.array_equal(made.ordinary, selected.ordinary)
    assert (made.input_rgb[made.input_mask == 0] == 255).all()
    columns = ((made.joints[..., 0] + 0.5) * 64).astype(int).clip(0, 63)
    rows = ((0.5 - made.joints[..., 1]) * 64).astype(int).clip(0, 63)
    # Perspective moves limbs by a pixel or two, so joints may just miss these thin bodies.
    near = maximum_filter(made.input_mask, size=(1, 5, 5))
    assert (near[np.arange(20)[:, None], rows, columns] > 0).mean() > 0.9
    assert describe(CONFIG, made)["ordinary"] == 8


def test_selected_poses_survive_the_file(selected, tmp_path):
    selected.save(tmp_path / "poses.npz")
    again = SelectedPoses.load(tmp_path / "poses.npz")
    assert np.array_equal(again.body_pose, selected.body_pose)
    assert again.clip.tolist() == selected.clip.tolist()
