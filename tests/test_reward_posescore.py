import pytest
import torch
from tiny_models import small_denoiser

from poseloop.multiview.config import OptimizerConfig
from poseloop.multiview.fitting import fit
from poseloop.multiview.views import COLOUR, NORMAL
from poseloop.reward.config import DistanceConfig, PoseScoreConfig, SkeletonConfig
from poseloop.reward.distance import bce, dice, multiscale_dice, skeleton_distance
from poseloop.reward.finetune import add_lora, merge_lora
from poseloop.reward.posescore import PoseScore, draw_readings, presence, target_maps
from poseloop.runtime.checkpoints import Checkpoints
from poseloop.runtime.config import load_config
from poseloop.runtime.errors import UserError

SKELETON = SkeletonConfig(size=32, radius=0.02, softness=0.01)
OPTIMIZER = OptimizerConfig(
    learning_rate=0.01, weight_decay=0.0, warmup_steps=2, clip_grad_norm=1.0, final_rate=0.1
)


def test_a_perfect_prediction_is_nearest_under_every_term():
    torch.manual_seed(0)
    target = target_maps(torch.randn(1, 24, 3) * 0.2, [0, 90], [], SKELETON)
    perfect = torch.logit(target, eps=1e-4)
    wrong = perfect.roll(8, dims=-1)
    for name in ("bce", "dice", "l1", "multiscale_l1", "multiscale_dice"):
        config = DistanceConfig(**{name: 1.0})
        near = skeleton_distance(perfect, target, config)
        far = skeleton_distance(wrong, target, config)
        assert near.shape == (1,)
        assert near < 0.5 * far, name


def test_dice_punishes_hedging_and_cross_entropy_rewards_it():
    """A smear over two places against a choice of the wrong one."""
    target = torch.zeros(32, 32)
    target[10:20, 4:8] = 1.0
    wrong = torch.zeros(32, 32)
    wrong[10:20, 24:28] = 1.0
    smear = 0.5 * (target + wrong)
    logits = [torch.logit(maps, eps=0.01) for maps in (wrong, smear)]
    gain_bce = 1 - (bce(logits[1], target) / bce(logits[0], target)).item()
    gain_dice = 1 - (dice(logits[1], target) / dice(logits[0], target)).item()
    assert gain_bce > 0.8
    assert gain_dice < 0.7


def test_only_the_pyramid_of_dice_prefers_the_nearer_of_two_misses():
    target = torch.zeros(32, 32)
    target[10:20, 8:10] = 1.0
    near, far = (torch.logit(target.roll(shift, dims=-1), eps=1e-4) for shift in (3, 12))
    assert dice(near, target).item() == pytest.approx(dice(far, target).item(), rel=1e-3)
    batch = (1, 1, 1, 32, 32)
    pyramids = [multiscale_dice(x.view(batch), target.view(batch)).item() for x in (near, far)]
    assert pyramids[0] < 0.95 * pyramids[1]


def test_target_maps_of_a_mirrored_view_are_mirrored():
    torch.manual_seed(0)
    joints = torch.randn(2, 24, 3) * 0.2
    plain = target_maps(joints, [0, 180], [], SKELETON)
    mirrored = target_maps(joints, [0, 180], [1], SKELETON)
    torch.testing.assert_close(mirrored[:, 1], plain[:, 1].flip(-1))
    # The back view, mirrored, covers the front view: both see the same x and y.
    torch.testing.assert_close(mirrored[:, 1], plain[:, 0], atol=1e-5, rtol=1e-4)


def reader(*readings):
    config = load_config("config/smoke/posescore.yaml", PoseScoreConfig)
    torch.manual_seed(0)
    return PoseScore(config.model_copy(update={"readings": readings}), 4, 16, [3, 4])


@pytest.mark.parametrize(("seen", "hidden"), [("normal", COLOUR), ("colour", NORMAL)])
def test_a_reading_of_one_modality_neither_sees_nor_moves_the_other(seen, hidden):
    latents = torch.randn(2, 6, 2, 4, 16, 16, requires_grad=True)
    joints = torch.randn(2, 24, 3) * 0.2
    reward = reader([seen])(latents, joints)
    (gradient,) = torch.autograd.grad(reward.sum(), latents)
    assert gradient[:, :, hidden].abs().max() == 0
    assert gradient[:, :, 1 - hidden].abs().max() > 0
    changed = latents.detach().clone()
    changed[:, :, hidden] += 1
    torch.testing.assert_close(reader([seen])(changed, joints), reward)


def test_the_reward_is_the_mean_over_readings():
    latents, joints = torch.randn(2, 6, 2, 4, 16, 16), torch.randn(2, 24, 3) * 0.2
    readings = [["normal", "colour"], ["normal"], ["colour"]]
    apart = torch.stack([reader(reading)(latents, joints) for reading in readings])
    torch.testing.assert_close(reader(*readings)(latents, joints), apart.mean(0))
    assert apart.std(0).min() > 1e-6


def test_a_subjects_reward_may_be_that_of_the_one_reading_it_drew():
    latents, joints = torch.randn(3, 6, 2, 4, 16, 16), torch.randn(3, 24, 3) * 0.2
    readings = [["normal", "colour"], ["normal"], ["colour"]]
    seen = torch.tensor([[0.0, 1.0], [1.0, 1.0], [1.0, 0.0]])
    apart = [
        reader(readings[i])(latents[n : n + 1], joints[n : n + 1])
        for n, i in ((0, 2), (1, 0), (2, 1))
    ]
    drawn = reader(*readings)(latents, joints, seen=seen)
    torch.testing.assert_close(drawn, torch.cat(apart))


def test_readings_are_drawn_alike():
    readings = [["normal", "colour"], ["normal"], ["colour"]]
    drawn = draw_readings(readings, 3000, torch.Generator().manual_seed(0))
    for reading in presence(readings):
        assert (drawn == reading).all(1).float().mean().item() == pytest.approx(1 / 3, abs=0.03)


def test_some_term_must_have_weight():
    with pytest.raises(ValueError, match="at least one term"):
        DistanceConfig()


def test_merged_adapters_compute_what_they_computed_apart():
    torch.manual_seed(0)
    plain = small_denoiser()
    names = set(plain.state_dict())
    adapted = add_lora(plain, rank=2)
    for name, parameter in adapted.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter)
    torch.nn.init.normal_(adapted.conv_out.weight)
    latents, image = torch.randn(1, 6, 2, 4, 16, 16), torch.randn(1, 4, 16, 16)
    before = adapted(latents, torch.tensor([500]), image)
    merged = merge_lora(adapted)
    assert set(merged.state_dict()) == names
    torch.testing.assert_close(
        merged(latents, torch.tensor([500]), image), before, atol=1e-3, rtol=1e-3
    )


def fit_line(folder, monkeypatch, stop_after=None):
    """Fit y = 3x; the run dies after `stop_after` steps if that is given."""
    monkeypatch.setattr("poseloop.runtime.checkpoints.SCRATCH", folder)
    torch.manual_seed(0)
    module = torch.nn.Linear(1, 1)

    def backward(step):
        if step == stop_after:
            raise KeyboardInterrupt
        x = torch.randn(16, 1, generator=torch.Generator().manual_seed(step))
        loss = (module(x) - 3 * x).square().mean()
        loss.backward()
        return {"loss": loss.item()}

    return fit(module, backward, 20, OPTIMIZER, 0.9, Checkpoints("line", every=4))


def test_a_killed_run_resumes_to_the_same_weights_and_log(tmp_path, monkeypatch):
    whole, rows = fit_line(tmp_path / "a", monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        fit_line(tmp_path / "b", monkeypatch, stop_after=14)
    resumed, resumed_rows = fit_line(tmp_path / "b", monkeypatch)
    assert rows == resumed_rows
    assert rows[-1]["loss"] < rows[0]["loss"]
    assert torch.equal(whole.weight, resumed.weight)


def test_a_diverged_run_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr("poseloop.runtime.checkpoints.SCRATCH", tmp_path)
    module = torch.nn.Linear(1, 1)

    def backward(step):
        module(torch.ones(1, 1)).sum().backward()
        return {"loss": float("nan")}

    with pytest.raises(UserError, match="step 1 .*learning_rate"):
        fit(module, backward, 5, OPTIMIZER, 0.9, Checkpoints("bad", every=10))
