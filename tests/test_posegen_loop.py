"""The loop on small problems: equal budgets, filter, resuming, augmentation, users' estimators."""

import dataclasses
import sys

import numpy as np
import pytest
import roma
import torch
from tiny_data import make_body, make_clips
from tiny_posegen import SIZE, bounds_of, estimators_config, field_of, loop_config
from tiny_posegen import make_small_estimator as small

from poseloop.data.config import Backdrop, Picture
from poseloop.posegen.candidates import (
    judge_pairs,
    label_fidelity,
    limit_poses,
    mirrored,
    turned,
)
from poseloop.posegen.external import from_callable, from_command
from poseloop.posegen.finetuning import blend, finetune
from poseloop.posegen.generator import Drawn
from poseloop.posegen.generator_training import Gan
from poseloop.posegen.loop import make_start, run_loop
from poseloop.posegen.photograph import Photographer
from poseloop.posegen.pictures import Stage, UsualPictures, make_pictures, render
from poseloop.posegen.skeleton import pose_joints
from poseloop.posegen.synthesis import FieldStudio, MeshStudio
from poseloop.render.wardrobe import sample_appearance
from poseloop.runtime.checkpoints import Checkpoints
from poseloop.runtime.errors import UserError


@pytest.fixture(scope="module")
def stage(tmp_path_factory):
    folder = tmp_path_factory.mktemp("loop")
    body = make_body(folder)
    field, betas, compact = field_of(body)
    bounds, prior = bounds_of(make_clips(folder / "clips.npz"))
    config = loop_config()
    studio = FieldStudio(field, betas, compact, SIZE, config.surface, 0.0, config.colour_jitter)
    photographer = Photographer(body, Picture(size=SIZE, supersample=1))
    looks = [sample_appearance(np.random.default_rng(who)) for who in range(2)]
    mesh = MeshStudio(photographer, looks, betas, config.surface, 0.0)
    ordinary = shoot(studio, bounds, 16, 0)
    check = small("check", compact)
    stage = Stage(
        config, compact, prior, bounds, ordinary, shoot(studio, bounds, 6, 1), check, studio, mesh
    )
    return stage, bounds


def shoot(studio, bounds, count, seed):
    generator = torch.Generator().manual_seed(seed)
    drawn = bounds(0.5 * torch.randn((count, 76), generator=generator))
    subject = torch.arange(count) % 2
    return studio.shoot(drawn, subject, [np.random.default_rng(i) for i in range(count)])


def loop(stage, bounds, method, folder, monkeypatch, name="run"):
    monkeypatch.setattr("poseloop.runtime.checkpoints.SCRATCH", folder)
    base = small("regression", stage.body).requires_grad_(False)
    entry = estimators_config().estimators["regression"]
    gan = Gan(stage.config, bounds, 0)
    start = make_start(stage, base, entry, 0)
    return run_loop(method, start, gan, Checkpoints(name, 1)), base


def test_labels_are_where_the_person_is(stage):
    stage, bounds = stage
    images = shoot(stage.studio, bounds, 8, 5)
    place = ((images.joints2d * [1, -1] + 0.5) * SIZE).astype(int).clip(0, SIZE - 1)
    rows = np.arange(8)[:, None]
    assert (images.mask[rows, place[..., 1], place[..., 0]] > 64).mean() > 0.8


def test_nerf_and_mesh_show_the_same_pose_in_the_same_place(stage):
    stage, bounds = stage
    drawn = bounds(0.3 * torch.randn((4, 76), generator=torch.Generator().manual_seed(1)))
    subject = torch.zeros(4, dtype=torch.int64)
    nerf, mesh = (
        studio.shoot(drawn, subject, [np.random.default_rng(i) for i in range(4)])
        for studio in (stage.studio, stage.mesh)
    )
    assert np.allclose(nerf.joints, mesh.joints, atol=1e-4)
    assert np.allclose(nerf.joints2d, mesh.joints2d, atol=1e-4)
    assert np.allclose(nerf.global_orient, mesh.global_orient, atol=1e-3)
    overlap = ((nerf.mask > 127) & (mesh.mask > 127)).sum() / (mesh.mask > 127).sum()
    assert overlap > 0.8


def test_a_mirrored_picture_has_the_labels_of_what_it_shows(stage):
    stage, bounds = stage
    images = shoot(stage.studio, bounds, 8, 5)
    seen = mirrored(images)
    place = ((seen.joints2d * [1, -1] + 0.5) * SIZE).astype(int).clip(0, SIZE - 1)
    assert (seen.mask[np.arange(8)[:, None], place[..., 1], place[..., 0]] > 64).mean() > 0.8
    pose = np.concatenate([seen.global_orient, seen.body_pose], axis=1).reshape(-1, 24, 3)
    rest = stage.body.rest_joints(torch.from_numpy(seen.betas))
    posed = pose_joints(roma.rotvec_to_rotmat(torch.from_numpy(pose)), rest).joints
    assert np.abs(posed.numpy() - seen.joints).max() < 0.02  # people are not quite symmetric
    again = mirrored(seen)
    for name, value in vars(images).items():
        assert np.array_equal(getattr(again, name), value), name


def test_prints_show_one_pose_in_another_light(stage):
    stage, bounds = stage
    drawn = bounds(0.3 * torch.randn((3, 76), generator=torch.Generator().manual_seed(1)))
    images = render(stage, "nerf", drawn, torch.Generator().manual_seed(0), (0, "prints"))
    prints = stage.config.prints
    assert prints == 2 and len(images) == 6
    plain, turned_over = images[0::2], mirrored(images[1::2])
    assert np.allclose(plain.joints, turned_over.joints)
    assert np.array_equal(plain.body_id, turned_over.body_id)
    assert (plain.rgb != turned_over.rgb).any(axis=(1, 2, 3)).all()


@pytest.mark.parametrize(
    "method", ["anchor", "augment", "prior", "scattered", "limits", "mine", "starts", "mesh"]
)
def test_every_method_has_the_same_budget(stage, method, tmp_path, monkeypatch):
    stage, bounds = stage
    outcome, base = loop(stage, bounds, method, tmp_path, monkeypatch)
    assert [row["round"] for row in outcome.rows] == [1, 2]
    made = 0 if outcome.examples is None else len(outcome.examples)
    assert made == (0 if method == "anchor" else stage.config.pictures)
    moved = [
        not torch.equal(a, b)
        for a, b in zip(outcome.estimator.parameters(), base.parameters(), strict=True)
    ]
    assert any(moved)
    for name, buffer in base.named_buffers():
        if "running" in name:
            assert torch.equal(buffer, dict(outcome.estimator.named_buffers())[name])


def test_a_generators_pictures_are_its_own_for_the_share_that_the_config_names(stage):
    stage, bounds = stage
    base = small("regression", stage.body).requires_grad_(False)
    known = bounds(bounds.starts).pose[:, 3:].numpy()
    for share in (0.0, 0.5, 1.0):
        settings = stage.config.generator.model_copy(update={"own_share": share})
        config = stage.config.model_copy(update={"generator": settings, "pictures": 16})
        part = dataclasses.replace(stage, config=config)
        gan = Gan(config, bounds, 0)
        images, _ = make_pictures(UsualPictures(part, 0), "gan", base, gan, 0.1, 0, {})
        pose = np.concatenate([images.body_pose, mirrored(images).body_pose])
        from_starts = (np.abs(pose[:, None] - known).max(-1) < 1e-4).any(1).reshape(2, -1).any(0)
        assert from_starts.mean() == pytest.approx(1 - share, abs=0.26 * (share == 0.5))


def test_methods_share_the_pictures_of_random_poses(stage, monkeypatch):
    stage, bounds = stage
    rendered = []

    def spy(stage, renderer, drawn, *rest):
        rendered.append((renderer, len(drawn.pose)))
        return render(stage, renderer, drawn, *rest)

    monkeypatch.setattr("poseloop.posegen.pictures.render", spy)
    piece = stage.config.poses_for(stage.config.filter.surplus)
    usual = UsualPictures(stage, 0)
    poses, images = usual.take("prior", "nerf", 0, piece)
    assert len(poses.pose) == piece and len(images) == piece * stage.config.prints
    fewer, few = usual.take("prior", "nerf", 0, 2)
    assert torch.equal(fewer.pose, poses.pose[:2])
    assert np.array_equal(few.rgb, images.rgb[: 2 * stage.config.prints])
    assert rendered == [("nerf", piece)]
    more, many = usual.take("prior", "nerf", 0, piece + 1)
    assert torch.equal(more.pose[:piece], poses.pose)
    assert np.array_equal(many.rgb[: len(images)], images.rgb)
    assert len(rendered) == 2
    usual.take("prior", "nerf", 1, 1), usual.take("prior", "mesh", 0, 1)
    assert rendered[2:] == [("nerf", piece), ("mesh", piece)]
    crossed, _ = usual.take("starts", "nerf", 0, piece)
    assert not torch.equal(crossed.pose, poses.pose)
    known = bounds(bounds.starts).pose
    apart = torch.cdist(crossed.pose, known, compute_mode="donot_use_mm_for_euclid_dist")
    assert apart.amin(1).max() < 1e-4
    again, same = UsualPictures(stage, 0).take("prior", "nerf", 0, piece)
    assert torch.equal(again.pose, poses.pose) and np.array_equal(same.rgb, images.rgb)


def test_turned_copies_join_what_is_fine_tuned_on_and_not_the_examples(
    stage, tmp_path, monkeypatch
):
    seen = []

    def spy(estimator, fresh, *rest):
        seen.append(len(fresh))
        return finetune(estimator, fresh, *rest)

    monkeypatch.setattr("poseloop.posegen.loop.finetune", spy)
    outcome, _ = loop(*stage, "prior", tmp_path, monkeypatch)
    config = stage[0].config
    each = config.pictures * (1 + config.finetune.made_copies)
    assert seen == [each, 2 * each]
    assert len(outcome.examples) == config.pictures


def test_no_fine_tuning_returns_the_base(stage, tmp_path, monkeypatch):
    stage, bounds = stage
    outcome, base = loop(stage, bounds, "base", tmp_path, monkeypatch)
    after = outcome.estimator.state_dict()
    assert all(torch.equal(after[name], value) for name, value in base.state_dict().items())
    assert outcome.rows[0]["round"] == 0


def test_the_result_is_a_blend_of_the_estimator_before_and_after(stage, tmp_path, monkeypatch):
    stage, bounds = stage
    results = {}
    for share in (0.5, 1.0):
        tune = stage.config.finetune.model_copy(update={"blend": share})
        shared = dataclasses.replace(
            stage, config=stage.config.model_copy(update={"finetune": tune})
        )
        outcome, base = loop(shared, bounds, "anchor", tmp_path, monkeypatch, f"blend{share}")
        results[share] = outcome.estimator
    half, after = results[0.5].state_dict(), results[1.0].state_dict()
    assert any(not torch.equal(after[name], value) for name, value in base.state_dict().items())
    for name, value in base.state_dict().items():
        if value.is_floating_point():
            assert torch.allclose(half[name], (value + after[name]) / 2, atol=1e-7), name
    same = blend(base, base, 0.3).state_dict()
    assert all(torch.equal(same[name], value) for name, value in base.state_dict().items())


def test_a_killed_run_resumes_at_its_round_with_the_same_result(stage, tmp_path, monkeypatch):
    stage, bounds = stage
    whole, _ = loop(stage, bounds, "posegen", tmp_path / "a", monkeypatch)
    short = dataclasses.replace(
        stage,
        config=stage.config.model_copy(
            update={
                "finetune": stage.config.finetune.model_copy(
                    update={"steps": stage.config.finetune.steps[:1]}
                )
            }
        ),
    )
    loop(short, bounds, "posegen", tmp_path / "b", monkeypatch)
    resumed, _ = loop(stage, bounds, "posegen", tmp_path / "b", monkeypatch)
    assert resumed.rows == whole.rows
    pairs = zip(whole.estimator.parameters(), resumed.estimator.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)
    assert np.array_equal(whole.hardness, resumed.hardness)


def test_rejections_are_counted_by_their_reason(stage):
    stage, bounds = stage
    images = shoot(stage.studio, bounds, 8, 3)
    inside = np.ones(8, bool)
    inside[0] = False
    error = torch.linspace(0.1, 0.8, 8)[:, None, None] * torch.tensor([1.0, 0, 0])
    error[1] = torch.nan
    truth = torch.from_numpy(images.joints)
    settings = stage.config.filter.model_copy(update={"hardness": 5.0, "fidelity": 0.0})
    arguments = (images, inside, lambda _: truth + error, stage.check, settings, 0.1)
    verdict = judge_pairs(*arguments, True)
    assert verdict.reasons == {"range": 1, "not_finite": 1, "fidelity": 0, "hardness": 3}
    assert verdict.kept.tolist() == [False, False, True, True, True, False, False, False]
    assert judge_pairs(*arguments, False).reasons["hardness"] == 0
    strict = settings.model_copy(update={"fidelity": 1.0})
    found = judge_pairs(images, inside, lambda _: truth, stage.check, strict, 0.1, True)
    assert found.reasons["fidelity"] > 0
    assert label_fidelity(stage.check, images, 10.0).min() == 1


def test_a_filter_that_leaves_nothing_says_what_to_change(stage, tmp_path, monkeypatch):
    stage, bounds = stage
    settings = stage.config.filter.model_copy(update={"hardness": 1e-6})
    config = stage.config.model_copy(update={"filter": settings})
    with pytest.raises(UserError, match=r"prior, round 1: the filter leaves no picture"):
        loop(dataclasses.replace(stage, config=config), bounds, "prior", tmp_path, monkeypatch)


def test_turned_pictures_carry_their_labels(stage):
    stage, bounds = stage
    studio = FieldStudio(
        stage.studio.field, stage.studio.betas, stage.body, 64, Backdrop(), 0.0, 0.0
    )
    images = shoot(studio, bounds, 8, 7)
    moved = turned(images, 60.0, torch.Generator().manual_seed(0))
    assert np.abs(moved.camera[:, 2] - images.camera[:, 2]).max() > 20
    assert np.allclose(
        np.linalg.norm(moved.joints, axis=-1), np.linalg.norm(images.joints, axis=-1), atol=1e-4
    )
    place = ((moved.joints2d * [1, -1] + 0.5) * 64).astype(int)
    within = ((place >= 0) & (place < 64)).all(-1)
    rows = np.broadcast_to(np.arange(8)[:, None], within.shape)
    x, y = place[within].T
    assert (moved.mask[rows[within], y, x] > 64).mean() > 0.8


def test_joint_limit_poses_are_within_the_limits(stage):
    stage, bounds = stage
    drawn = limit_poses(bounds, 50, torch.Generator().manual_seed(0))
    assert bounds.contains(drawn).all()
    assert not bounds.contains(Drawn(drawn.pose + 7, drawn.camera)).any()


def test_a_users_estimator_is_checked():
    rgb = np.zeros((3, 8, 8, 3), np.uint8)
    good = from_callable(lambda pictures: np.ones((len(pictures), 24, 3)), "mine.py:f")
    assert good(rgb).abs().max() == 0
    with pytest.raises(UserError, match=r"mine.py:f: returned joints of the shape \(3, 17, 3\)"):
        from_callable(lambda pictures: np.zeros((len(pictures), 17, 3)), "mine.py:f")(rgb)
    with pytest.raises(UserError, match="not finite"):
        from_callable(lambda pictures: np.full((3, 24, 3), np.nan), "mine.py:f")(rgb)


def test_a_command_reads_pictures_and_writes_joints(tmp_path):
    program = tmp_path / "estimate.py"
    program.write_text(
        "import sys, numpy as np\n"
        "rgb = np.load(sys.argv[1])['rgb']\n"
        "joints = np.zeros((len(rgb), 24, 3)); joints[:, 5] = rgb.mean()\n"
        "np.savez(sys.argv[2], joints=joints)\n"
    )
    rgb = np.full((2, 4, 4, 3), 7, np.uint8)
    assert from_command([sys.executable, str(program)], 60)(rgb)[0, 5, 0] == 7
    program.write_text("raise SystemExit('no GPU here')")
    with pytest.raises(UserError, match="ended with 1: no GPU here"):
        from_command([sys.executable, str(program)], 60)(rgb)
    with pytest.raises(UserError, match="nowhere"):
        from_command(["/nowhere/estimator"], 60)(rgb)
