"""The pose judge: triangulation, learning, fair input, resume, files."""

import numpy as np
import pytest
import torch

from poseloop.body.joints import MIRROR, PARENTS
from poseloop.evaluate.augmentation import degrade, mirror, spin
from poseloop.evaluate.config import Augmentation, JudgeConfig, Triangulation
from poseloop.evaluate.judge import Judge, judge_input
from poseloop.evaluate.judge_training import (
    _places,
    bone_lengths,
    read_judge_scans,
    target_maps,
    train_judge,
)
from poseloop.evaluate.pose import PoseJudge, load_judge
from poseloop.evaluate.triangulation import choose_along_tree, triangulate
from poseloop.evaluate.views import project
from poseloop.runtime import checkpoints
from poseloop.runtime.checkpoints import Checkpoints
from poseloop.runtime.errors import UserError
from poseloop.runtime.files import write_npz
from poseloop.runtime.weights import write_weights

AZIMUTHS = np.array([0, 45, 90, 180, 270, 315.0])
READING = Triangulation(
    coarse=32, fine=9, radius=2.0, floor=1e-3, depth_weight=0.5, candidates=8, slack=0.02
)
# Bones of any length: only the views speak.
LOOSE = torch.tensor([0.2, 1e3]).repeat(23, 1)
UNKNOWN_DEPTH = torch.zeros(6, 24, 32)
STILL = {"spin": 0, "shrink": 0}
CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def config(**changes):
    values = {
        "seed": 0,
        "threads": 1,
        "device": "cpu",
        "channels": [16, 32],
        "blocks": 1,
        "bins": 32,
        "steps": 60,
        "batch": 12,
        "learning_rate": 5e-3,
        "weight_decay": 0.0,
        "sigma": 1.0,
        "augmentation": Augmentation(probability=0, blur=1, noise=0, contrast=0, **STILL),
        "triangulation": READING,
        "pck_mm": 150.0,
        "validation_subjects": 1,
        "checkpoint_every": 1000,
    }
    return JudgeConfig(**(values | changes))


def perfect_heat(joints, sigma=1.0):
    places = torch.from_numpy(project(joints, AZIMUTHS)).float()
    return target_maps(places, 32, sigma).clamp(min=1e-12).log()


def dots(count, size=32):
    """Subjects whose joints lie in one of a few places, painted as coloured squares."""
    rng = np.random.default_rng(0)
    joints = rng.uniform(-0.3, 0.3, (count, 24, 3))
    joints[:, 1:] = joints[:, :1] + 0.02 * rng.normal(size=(24, 3))[1:]
    rgb = np.full((count, 6, size, size, 3), 255, np.uint8)
    normal = np.full((count, 6, size, size, 3), 128, np.uint8)
    for subject, view in np.ndindex(count, 6):
        column, row = (project(joints[subject, :1], AZIMUTHS)[view, 0] * size).astype(int)
        rgb[subject, view, row - 2 : row + 3, column - 2 : column + 3] = [200, 30, 30]
    metres = np.full(count, 2.0)
    return {
        "rgb": rgb,
        "normal": normal,
        "joints": joints,
        "azimuths": AZIMUTHS,
        "metres_per_unit": metres,
    }


def test_triangulation_of_perfect_heat_maps_is_exact():
    joints = np.random.default_rng(0).uniform(-0.28, 0.28, (24, 3))
    found = triangulate(perfect_heat(joints), UNKNOWN_DEPTH, AZIMUTHS, LOOSE, READING).numpy()
    assert np.abs(found - joints).max() < 0.004


def test_a_view_that_swaps_left_and_right_is_out_voted():
    joints = np.random.default_rng(0).uniform(-0.28, 0.28, (24, 3))
    heat = perfect_heat(joints)
    heat[1] = heat[1, list(MIRROR)]
    found = triangulate(heat, UNKNOWN_DEPTH, AZIMUTHS, LOOSE, READING).numpy()
    assert np.abs(found - joints).max() < 0.02


def test_depth_of_side_views_tells_left_from_right():
    """Every view gives both hips to both places; only the side view's depths differ."""
    joints = np.zeros((24, 3))
    joints[1], joints[2] = [0.1, 0, 0], [-0.1, 0, 0]
    heat = perfect_heat(joints)
    both = torch.logaddexp(heat[:, 1], heat[:, 2])
    heat[:, 1], heat[:, 2] = both, both
    depth = UNKNOWN_DEPTH.clone()
    near = torch.linspace(0, -20, 32)
    depth[2, 1], depth[2, 2] = near, near.flip(0)  # from azimuth 90 the left side is near
    found = triangulate(heat, depth, AZIMUTHS, LOOSE, READING)
    np.testing.assert_allclose(found[1:3, 0], [0.1, -0.1], atol=0.02)


def test_places_have_the_nearest_depth_first():
    place = _places(np.array([[[0.4, 0.1, 0.0]]]), AZIMUTHS)[0]
    np.testing.assert_allclose(place[2, 0], [0.5, 0.4, 0.1])  # azimuth 90 looks at +x
    np.testing.assert_allclose(place[0, 0], [0.9, 0.4, 0.5])


def test_bones_keep_a_foot_at_its_own_leg():
    """Every view gives the left foot to both legs and a little more to the wrong one."""
    joints = np.random.default_rng(0).uniform(-0.05, 0.05, (24, 3))
    left, right = [1, 4, 7, 10], [2, 5, 8, 11]
    joints[left] = [[0.1, -0.1, 0], [0.15, -0.2, 0.1], [0.2, -0.3, 0.1], [0.2, -0.3, 0.2]]
    joints[right] = [[-0.1, -0.1, 0], [-0.15, -0.2, 0], [-0.2, -0.3, 0], [-0.2, -0.3, 0.1]]
    heat = perfect_heat(joints)
    heat[:, 10] = torch.logaddexp(heat[:, 10] - 0.2, heat[:, 11])
    alone = triangulate(heat, UNKNOWN_DEPTH, AZIMUTHS, LOOSE, READING)
    bones = bone_lengths(joints[None]) + torch.tensor([0.0, 0.01])
    together = triangulate(heat, UNKNOWN_DEPTH, AZIMUTHS, bones, READING)
    np.testing.assert_allclose(alone[10], joints[11], atol=0.02)
    np.testing.assert_allclose(together[10], joints[10], atol=0.02)


def test_the_choice_along_the_tree_is_the_best_of_all():
    generator = torch.Generator().manual_seed(0)
    scores = torch.randn(24, 3, generator=generator)
    places = torch.rand(24, 3, 3, generator=generator)
    bones = torch.tensor([0.4, 0.3]).repeat(23, 1)

    def value(index):
        points = places[torch.arange(24), index]
        length = (points[1:] - points[list(PARENTS[1:])]).norm(dim=-1)
        prior = -0.5 * ((length - bones[:, 0]) / bones[:, 1]).square()
        return float(scores[torch.arange(24), index].sum() + prior.sum())

    chosen = choose_along_tree(scores, places, bones)
    index = (places - chosen[:, None]).norm(dim=-1).argmin(1)
    best = value(index)
    for joint in range(24):
        for other in range(3):
            changed = index.clone()
            changed[joint] = other
            assert value(changed) <= best + 1e-5
    random = torch.randint(3, (300, 24), generator=generator)
    assert max(map(value, random)) <= best


def test_spin_moves_pictures_normals_and_joints_alike():
    pictures = torch.zeros(8, 6, 33, 33)
    pictures[:, :3] = 1
    pictures[:, :3, 4:7, 15:18] = -1  # a mark above the middle
    pictures[:, 3:, 4:7, 15:18] = torch.tensor([0.0, 1.0, 0.0]).view(3, 1, 1)  # normals point up
    places = torch.tensor([0.5, 5.5 / 33, 0.5]).expand(8, 24, 3)
    change = Augmentation(probability=0, blur=1, noise=0, contrast=0, spin=1, shrink=0.2)
    moved, places = spin(pictures, places, change, torch.Generator().manual_seed(0))
    grid = (torch.arange(33) + 0.5) / 33
    dark = (1 - moved[:, 0]) / (1 - moved[:, 0]).sum((1, 2), keepdim=True)
    centre = torch.stack([(dark.sum(1) * grid).sum(1), (dark.sum(2) * grid).sum(1)], -1)
    assert (places[..., 2] == 0.5).all()
    places = places[..., :2]
    torch.testing.assert_close(centre, places[:, 0], atol=0.01, rtol=0)
    up = moved[:, 3:5].sum((2, 3)) / moved[:, 3:5].sum((2, 3)).norm(dim=1, keepdim=True)
    outwards = (places[:, 0] - 0.5) * torch.tensor([1, -1])
    torch.testing.assert_close(up, outwards / outwards.norm(dim=1, keepdim=True), atol=0.02, rtol=0)
    assert (places[:, 0] - torch.tensor([0.5, 5.5 / 33])).norm(dim=1).min() > 0.01


def test_a_mirrored_picture_swaps_left_and_right():
    pictures = torch.zeros(2, 6, 4, 4)
    pictures[:, 3, 0, 0] = 1
    places = torch.rand(2, 24, 3)
    turned, swapped = mirror(pictures, places, torch.tensor([True, False]))
    assert turned[0, 3, 0, 3] == -1 and turned[1, 3, 0, 0] == 1
    torch.testing.assert_close(
        swapped[0, 1], places[0, 2] * torch.tensor([-1, 1, 1]) + torch.tensor([1, 0, 0])
    )
    torch.testing.assert_close(swapped[1], places[1])


def test_corners_beside_the_pictures_attract_no_joint():
    heat = perfect_heat(np.zeros((24, 3)))
    heat += 0.01 * torch.randn(heat.shape, generator=torch.Generator().manual_seed(0))
    assert triangulate(heat, UNKNOWN_DEPTH, AZIMUTHS, LOOSE, READING).abs().max() < 0.02


def test_every_view_sees_normals_in_its_own_camera_frame():
    towards = np.array([[np.sin(a), 0, np.cos(a)] for a in np.deg2rad(AZIMUTHS)])
    normal = np.round(towards * 127.5 + 127.5).astype(np.uint8)[:, None, None]
    pictures = judge_input(np.full((6, 1, 1, 3), 255, np.uint8), normal, AZIMUTHS)
    assert pictures.shape == (6, 6, 1, 1)
    expected = torch.tensor([1.0, 1, 1, 0, 0, 1]).expand(6, 6)
    torch.testing.assert_close(pictures[..., 0, 0], expected, atol=0.02, rtol=0)


def test_degradation_leaves_clean_what_it_should_and_keeps_white_white():
    pictures = torch.ones(4, 6, 16, 16)
    pictures[:, :3, 4:8, 4:8] = -1
    generator = torch.Generator().manual_seed(0)
    none = Augmentation(probability=0, blur=2, noise=1, contrast=0.5, **STILL)
    torch.testing.assert_close(degrade(pictures, none, generator), pictures)
    strong = Augmentation(probability=1, blur=2, noise=0, contrast=0.5, **STILL)
    changed = degrade(pictures, strong, generator)
    assert (changed - pictures).abs().amax((1, 2, 3)).min() > 0.05
    torch.testing.assert_close(changed[:, :3, -1, -1], torch.ones(4, 3))


def test_judge_learns_a_small_set(monkeypatch, tmp_path):
    monkeypatch.setattr(checkpoints, "SCRATCH", tmp_path)
    scans = dots(6)
    losses = []
    network = train_judge(
        scans, config(), CPU, Checkpoints("k", 1000), lambda step, loss: losses.append(loss)
    )
    judge = PoseJudge(network, READING, 150.0)
    joints = judge.joints(scans["rgb"], scans["normal"], AZIMUTHS, 4)
    errors = judge.errors(joints, scans["joints"], scans["metres_per_unit"])
    root = np.linalg.norm(joints[:, 0] - scans["joints"][:, 0], axis=-1)
    assert losses[-1] < losses[0] - 1
    assert root.max() < 0.08
    assert errors["judge_mpjpe"].mean() < 100


def test_a_resumed_training_equals_an_unbroken_one(monkeypatch, tmp_path):
    monkeypatch.setattr(checkpoints, "SCRATCH", tmp_path)
    scans = dots(3)

    class Stop(Exception):
        pass

    def stop(step, loss):
        if step == 6:
            raise Stop

    def log_to(rows):
        return lambda step, loss: rows.append((step, loss))

    logs = {"whole": [], "resumed": [], "ended": []}
    whole = train_judge(scans, config(steps=8), CPU, Checkpoints("a", 1000), log_to(logs["whole"]))
    with pytest.raises(Stop):
        train_judge(scans, config(steps=8), CPU, Checkpoints("b", 4), stop)
    for name in ("resumed", "ended"):  # killed before its checkpoint went, it has no step left
        resumed = train_judge(scans, config(steps=8), CPU, Checkpoints("b", 4), log_to(logs[name]))
        assert logs[name] == logs["whole"] and len(logs["whole"]) == 8
        for key, value in whole.state_dict().items():
            assert torch.equal(value, resumed.state_dict()[key]), key


def test_errors_are_millimetres_after_alignment():
    judge = PoseJudge(None, READING, 150.0)
    truth = np.random.default_rng(0).normal(size=(2, 24, 3)) * 0.2
    metres = np.array([2.0, 1.0])
    moved = judge.errors(truth + [0.3, 0.1, 0.0], truth, metres)
    np.testing.assert_allclose(moved["judge_mpjpe"], 0, atol=1e-9)
    assert (moved["judge_pck"] == 100).all()
    off = truth.copy()
    off[:, 5, 0] += 0.24
    np.testing.assert_allclose(judge.errors(off, truth, metres)["judge_mpjpe"], [20, 10])
    np.testing.assert_allclose(judge.errors(off, truth, metres)["judge_pck"], 100 * 22 / 23)
    bigger = judge.errors(truth * 1.5, truth, metres)
    np.testing.assert_allclose(bigger["judge_pa_mpjpe"], 0, atol=1e-6)
    assert (bigger["judge_mpjpe"] > 50).all()


def test_a_saved_judge_judges_the_same(tmp_path):
    torch.manual_seed(0)
    judge = PoseJudge(Judge([16, 32], 1, 32).eval(), READING, 120.0)
    judge.save(tmp_path / "model.safetensors")
    again = load_judge(tmp_path / "model.safetensors")
    views = dots(2)
    first, second = (j.joints(views["rgb"], views["normal"], AZIMUTHS, 2) for j in (judge, again))
    np.testing.assert_allclose(first, second, atol=1e-5)
    assert (again.triangulation, again.pck_mm) == (READING, 120.0)


def test_foreign_weights_and_bad_scans_are_named(tmp_path):
    path = tmp_path / "model.safetensors"
    write_weights(path, {"x": torch.zeros(1)}, {"autoencoder": {}})
    with pytest.raises(UserError, match="model.safetensors: not the weights of a pose judge"):
        load_judge(path)
    scans = dots(2)
    write_npz(tmp_path / "few.npz", {k: v for k, v in scans.items() if k != "joints"})
    with pytest.raises(UserError, match="few.npz.*joints"):
        read_judge_scans(tmp_path / "few.npz")
    scans["joints"][0, 3, 1] = np.nan
    write_npz(tmp_path / "nan.npz", scans)
    with pytest.raises(UserError, match="nan.npz: joints must be"):
        read_judge_scans(tmp_path / "nan.npz")
