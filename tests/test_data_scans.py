import dataclasses

import numpy as np
import pytest
from pydantic import ValidationError
from tiny_data import FRAMES, SIZE, make_body, make_clips, scans_config, view_set

from poseloop.body.joints import JOINT
from poseloop.data.scans import make_view_set
from poseloop.motion.augment import remove_heading
from poseloop.render.cameras import PAPER_AZIMUTHS, Camera, to_pixels
from poseloop.runtime.errors import UserError


@pytest.fixture(scope="module")
def material(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    return make_body(folder / "body"), make_clips(folder / "clips.npz")


@pytest.fixture(scope="module")
def made(material):
    return make_view_set(scans_config(), "train", *material)


def same(first, second) -> bool:
    return all(
        np.array_equal(getattr(first, field.name), getattr(second, field.name))
        for field in dataclasses.fields(first)
    )


def test_joints_lie_inside_the_mask_of_every_view(made):
    views, _ = made
    for view, azimuth in enumerate(PAPER_AZIMUTHS):
        pixels = to_pixels(Camera(azimuth).project(views.joints), SIZE).round().astype(int)
        for subject, (column, row) in enumerate(np.moveaxis(pixels, 2, 1)):
            assert (views.mask[subject, view][row, column] > 0).all()


def test_meshes_are_normalised_and_metres_undo_it(made, material):
    views, _ = made
    low, high = views.vertices.min(axis=1), views.vertices.max(axis=1)
    assert np.abs(low + high).max() < 1e-5
    assert np.allclose(np.linalg.norm(high - low, axis=1), 1, atol=1e-5)
    shin = views.joints[:, JOINT["left_knee"]] - views.joints[:, JOINT["left_ankle"]]
    length = np.linalg.norm(shin, axis=1) * views.metres_per_unit
    assert np.abs(length - 0.41).max() < 0.05


def test_plain_input_is_view_zero(made):
    views, _ = made
    assert np.array_equal(views.input_rgb, views.rgb[:, 0])
    assert np.array_equal(views.input_mask, views.mask[:, 0])


def test_facing_stays_within_yaw(made):
    views, _ = made
    _, heading = remove_heading(views.global_orient)
    assert np.abs(np.degrees(heading)).max() <= 45 + 1e-3
    assert np.ptp(np.degrees(heading)) > 20


def test_processes_do_not_change_the_result(made, material):
    assert same(made[0], make_view_set(scans_config(processes=2), "train", *material)[0])


def test_other_seed_changes_everything(made, material):
    config = scans_config().model_copy(update={"seed": 1})
    views, _ = make_view_set(config, "train", *material)
    assert not np.allclose(views.betas, made[0].betas)
    assert not np.array_equal(views.body_pose, made[0].body_pose)


def test_sets_share_no_body_and_no_look(material):
    config = scans_config(train=view_set(), test=view_set("test"))
    train, test = (make_view_set(config, name, *material)[0] for name in ("train", "test"))
    first, second = (set(map(tuple, views.betas.tolist())) for views in (train, test))
    assert len(first) == len(second) == 4
    assert not first & second
    assert not np.array_equal(train.rgb, test.rgb)


def test_two_sets_of_one_stream_are_refused():
    with pytest.raises(ValidationError, match="share a people stream"):
        scans_config(train=view_set("same"), test=view_set("same"))


def test_clips_come_from_their_split_and_are_drawn_evenly(made, material):
    motion = {"splits": ["train", "val"], "clips": {"jump": 2, "walk": 1}}
    views, manifest = make_view_set(
        scans_config(train=view_set(subjects=9, motion=motion)), "train", *material
    )
    assert manifest["clips"] == {"jump": 6, "walk": 3}
    assert manifest["people_stream"] == "train"
    assert np.ptp(views.frame[views.clip == "jump"]) > FRAMES / 2
    assert {name for clip in made[0].clip for name in clip.split("+")} == {"walk", "punch"}


@pytest.mark.parametrize(
    ("motion", "message"),
    [
        ({"clips": {"kick": 1}}, "'kick' belongs to test, not to train"),
        ({"clips": {"swim": 1}}, "no clip 'swim'"),
    ],
)
def test_wrong_clips_are_named(material, motion, message):
    with pytest.raises(UserError, match=message):
        make_view_set(scans_config(train=view_set(motion=motion)), "train", *material)


def test_unknown_set_is_named(material):
    with pytest.raises(UserError, match="no set 'other'; there are train"):
        make_view_set(scans_config(), "other", *material)


def test_wild_pictures_differ_from_the_views_but_show_the_person(material):
    wild = view_set(
        camera={"kind": "perspective", "distance": [1.5, 2], "pitch": [10, 10]},
        backdrop={"background": 1, "occluder": 1},
    )
    views, _ = make_view_set(scans_config(train=wild), "train", *material)
    assert (views.input_mask.astype(float).mean() > 0.3 * views.mask[:, 0].mean()).all()
    assert (views.input_rgb[views.input_mask == 0] != 255).any(axis=1).mean() > 0.9
    assert (views.rgb[views.mask == 0] == 255).all()


def test_tilted_camera_turns_the_subject(material):
    level = view_set(motion={"clips": {"walk": 1}, "mirror": 0, "yaw": 0})
    tilted = {**level, "camera": {"kind": "perspective", "pitch": [20, 20]}}
    flat, turned = (
        make_view_set(scans_config(train=entry), "train", *material)[0] for entry in (level, tilted)
    )
    up = [v.joints[:, JOINT["head"]] - v.joints[:, JOINT["pelvis"]] for v in (flat, turned)]
    lean = [np.degrees(np.arctan2(u[:, 2], u[:, 1])) for u in up]
    # From above, the head is nearer to the camera than the feet.
    assert np.allclose(lean[1] - lean[0], 20, atol=1)


def test_own_files_need_no_code(material, tmp_path):
    frames = 12
    poses = np.zeros((frames, 156))
    poses[:, 0] = np.pi / 2  # AMASS is z up
    poses[:, 3:66] = np.linspace(0, 0.5, frames)[:, None]
    np.savez(tmp_path / "mine.npz", poses=poses, trans=np.zeros((frames, 3)), mocap_framerate=60.0)
    motion = {"source": "amass", "path": str(tmp_path), "yaw": 0}
    views, manifest = make_view_set(scans_config(train=view_set(motion=motion)), "train", *material)
    assert set(manifest["clips"]) == {"mine"}
    up = views.joints[:, JOINT["spine1"]] - views.joints[:, JOINT["pelvis"]]
    assert (up[:, 1] > 0).all()
    with pytest.raises(ValidationError, match="needs a path"):
        scans_config(train=view_set(motion={"source": "bvh"}))
