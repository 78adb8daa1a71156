"""Sequences: part colours, geometry of frames, splits, and the pose set's anchors."""

import numpy as np
import pytest
from pydantic import ValidationError
from tiny_data import FRAMES as CLIP_FRAMES
from tiny_data import make_body, make_clips

from poseloop.body.joints import BONES, JOINT, LEFT_RIGHT
from poseloop.data.clip_config import ClipSetsConfig
from poseloop.data.clips import make_clip_set, make_driving_set
from poseloop.data.clipset import ClipSet
from poseloop.data.config import PoseSetConfig
from poseloop.data.poses import Poses, read_poses
from poseloop.data.poseset import select_poses
from poseloop.data.scores import draw_score
from poseloop.data.windows import crop_windows
from poseloop.render.backend import make_renderer
from poseloop.render.cameras import Camera
from poseloop.render.parts import PALETTE, part_colours, render_parts
from poseloop.runtime.errors import UserError

SIZE, FRAMES, STRIDE = 128, 4, 2


def clips_config(**changes) -> ClipSetsConfig:
    source = {"splits": ["train"], "people": {"stream": "train", "bodies": 3, "shape": 0.2}}
    held_out = {"splits": ["val"], "people": {"stream": "other", "bodies": 2, "shape": 0.2}}
    return ClipSetsConfig.model_validate(
        {
            "processes": 1,
            "frames": FRAMES,
            "stride": STRIDE,
            "picture": {"size": SIZE, "supersample": 1},
            "yaw": 45,
            "camera": {"kind": "perspective", "distance": [2.2, 5.0], "pitch": [-5, 15]},
            "train": {"sequences": 5, **source},
            "held_out": {"sequences": 3, **held_out},
            **changes,
        }
    )


def poseset_config(neighbours: int = 3) -> PoseSetConfig:
    return PoseSetConfig.model_validate(
        {
            "selection": {
                "anchors": 4,
                "neighbours": neighbours,
                "ordinary": 0.5,
                "ordinary_clips": ["walk"],
            },
            "people": {"stream": "poseset", "bodies": 4, "shape": 0.2},
            "picture": {"size": SIZE, "supersample": 1},
        }
    )


@pytest.fixture(scope="module")
def material(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clips")
    return make_body(folder / "body"), make_clips(folder / "clips.npz")


@pytest.fixture(scope="module")
def made(material):
    return make_clip_set(clips_config(), "train", *material)


@pytest.fixture(scope="module")
def driving(material):
    body, motion = material
    poseset = poseset_config()
    selected = select_poses(read_poses(motion, ["train"]), poseset.selection, body, 0)
    clips, manifest = make_driving_set(clips_config(), poseset, selected, body, motion)
    return clips, manifest, selected


def test_every_part_has_a_colour_of_its_own():
    distance = np.linalg.norm(PALETTE[:, None] - PALETTE[None], axis=-1)
    assert (distance + np.eye(24) > 0.1).all()
    # What must not be confused: parts that touch, and the two sides.
    assert min(distance[bone] for bone in BONES) > 0.35
    assert min(distance[pair] for pair in LEFT_RIGHT) > 0.8
    assert (PALETTE.max(1) > 0.5).all()
    left, right = JOINT["left_knee"], JOINT["right_knee"]
    weights = np.eye(24)[[left, right]]
    weights = np.concatenate([weights, weights.mean(0, keepdims=True)])
    colours = part_colours(weights)
    assert np.allclose(colours[:2], PALETTE[[left, right]])
    assert np.allclose(colours[2], PALETTE[[left, right]].mean(0))


def test_body_renders_are_flat_colours_on_black(material):
    body, _ = material
    vertices = body.v_template.numpy() / 2.5
    vertices = vertices - vertices.mean(0)
    colours = part_colours(body.weights.numpy())
    picture = render_parts(
        make_renderer("raycast", SIZE), vertices, body.faces, colours, [Camera(), Camera(90.0)]
    )
    assert picture.shape == (2, SIZE, SIZE, 3)
    seen = picture.any(-1)
    assert 0 < seen.mean() < 0.5
    # The tiny body's weights are one-hot: no colour but the palette's, whatever the normal.
    found = np.unique(picture[seen], axis=0)
    distance = np.abs(found[:, None] - np.round(255 * PALETTE)[None]).max(-1)
    assert (distance.min(1) <= 1).all()
    assert len(found) > 10


def test_frames_and_renders_show_the_joints_where_they_say(made):
    clips, _ = made
    assert clips.rgb.shape == clips.parts.shape == (5, FRAMES, SIZE, SIZE, 3)
    rows = np.round((0.5 - clips.joints2d[..., 1]) * SIZE - 0.5).astype(int)
    columns = np.round((clips.joints2d[..., 0] + 0.5) * SIZE - 0.5).astype(int)
    inside = np.arange(24) != JOINT["pelvis"]
    sequence, frame, _ = np.indices(rows.shape)
    body = clips.parts.any(-1)[sequence, frame, rows, columns][..., inside]
    # A joint of the tiny body is the middle of its block; another block may hide it, none lacks it.
    assert body.mean() > 0.97
    assert (clips.mask > 0)[clips.parts.any(-1)].mean() > 0.9


def test_a_sequence_has_one_scale_and_each_frame_its_window(material):
    clips, _ = make_clip_set(clips_config(camera={}), "train", *material)
    scale = clips.metres_per_unit / clips.window[..., 2]
    assert np.allclose(scale, scale[:, :1], rtol=1e-5)
    # Cut by its window, a frame is in the convention of a pose set's picture.
    flat = clips.window.reshape(-1, 3)
    body = crop_windows(clips.parts.reshape(-1, SIZE, SIZE, 3), flat, 0).any(-1)
    for picture in body:
        high, wide = np.flatnonzero(picture.any(1)), np.flatnonzero(picture.any(0))
        assert abs(high[0] + high[-1] - (SIZE - 1)) <= 4
        assert abs(wide[0] + wide[-1] - (SIZE - 1)) <= 4


def test_a_window_moves_and_enlarges():
    picture = np.zeros((1, 8, 8, 1), np.uint8)
    picture[0, 1:3, 5:7] = 200
    whole = crop_windows(picture, np.array([[0, 0, 1.0]]), 0)
    assert np.array_equal(whole, picture)
    # The square of four pixels whose middle is the bright one's.
    cut = crop_windows(picture, np.array([[0.25, 0.25, 0.25]]), 0)
    assert (cut[0, 1:-1, 1:-1] > 140).all()
    outside = crop_windows(picture, np.array([[2.0, 0, 1.0]]), 255)
    assert (outside == 255).all()


def test_sets_keep_to_their_splits_people_and_seed(material, made):
    clips, manifest = made
    assert manifest["people_stream"] == "train"
    assert manifest["sequences"] == 5
    assert set(manifest["clips"]) <= {"walk", "punch", "roll"}
    assert (clips.pose == -1).all()
    held_out, told = make_clip_set(clips_config(), "held_out", *material)
    assert told["splits"] == ["val"]
    assert set(held_out.clip) == {"jump"}
    assert not set(map(tuple, held_out.betas)) & set(map(tuple, clips.betas))
    again, _ = make_clip_set(clips_config(), "train", *material)
    assert np.array_equal(again.rgb, clips.rgb)
    assert np.array_equal(again.reference_rgb, clips.reference_rgb)


def test_the_reference_shows_the_person_in_another_pose(made):
    clips, _ = made
    assert (clips.reference_rgb != 255).any((1, 2, 3)).all()
    for row in range(len(clips)):
        assert not np.array_equal(clips.reference_rgb[row], clips.rgb[row, 0])


def test_frames_follow_each_other_and_no_gap_is_crossed():
    frame = np.concatenate([np.arange(10), np.arange(20, 30)])
    poses = Poses(
        np.zeros((20, 3), np.float32),
        frame[:, None] * np.ones((1, 69), np.float32),
        np.full(20, "a"),
        frame,
        np.zeros(20, bool),
    )
    source = clips_config().train.model_copy(update={"sequences": 40, "mirror": 0.0})
    score = draw_score(poses, source, FRAMES, STRIDE, np.random.default_rng(0))
    assert (np.diff(score.body_pose[:, :, 0], axis=1) == STRIDE).all()
    with pytest.raises(UserError, match="no clip has 19 frames in a row"):
        draw_score(poses, source, 10, STRIDE, np.random.default_rng(0))


def test_anchors_become_sequences_in_the_order_of_the_poses(driving):
    clips, manifest, selected = driving
    assert manifest["poses"] == len(selected) == (clips.pose >= 0).sum()
    assert sorted(clips.pose[clips.pose >= 0]) == list(range(len(selected)))
    assert np.array_equal(clips.body_pose[clips.pose >= 0], selected.body_pose[clips.pose.ravel()])
    assert len(set(map(tuple, clips.betas))) == len(clips) == 4


def test_a_short_anchor_repeats_its_last_pose(material, driving):
    body, motion = material
    _, _, selected = driving
    few = selected[selected.neighbour != 3]
    clips, _ = make_driving_set(clips_config(anchors=2), poseset_config(), few, body, motion)
    assert (clips.pose >= 0).tolist() == [[True, True, True, False]] * 2
    assert np.array_equal(clips.rgb[:, 3], clips.rgb[:, 2])


def test_an_anchor_longer_than_a_sequence_names_both_fields(material, driving):
    body, motion = material
    with pytest.raises(UserError, match="frames: 4 .*selection.neighbours of poseset.yaml"):
        make_driving_set(clips_config(), poseset_config(4), driving[2], body, motion)
    assert CLIP_FRAMES > STRIDE * (FRAMES - 1)


def test_a_set_is_read_as_it_was_written(made, tmp_path):
    made[0].save(tmp_path / "clips.npz")
    read = ClipSet.load(tmp_path / "clips.npz")
    assert all(np.array_equal(value, vars(read)[name]) for name, value in vars(made[0]).items())


@pytest.mark.parametrize(
    ("held_out", "message"),
    [
        ({"splits": ["train", "val"]}, "share a split"),
        ({"people": {"stream": "train", "bodies": 2}}, "share a people stream"),
    ],
)
def test_sets_that_share_clips_or_people_are_refused(held_out, message):
    entry = {"sequences": 1, "splits": ["val"], "people": {"stream": "x", "bodies": 1}} | held_out
    with pytest.raises(ValidationError, match=message):
        clips_config(held_out=entry)
