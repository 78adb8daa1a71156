import pytest
import torch
from tiny_models import small_denoiser

from poseloop.multiview.attention import MultiViewBlock
from poseloop.multiview.config import ScheduleConfig
from poseloop.multiview.sampler import sample
from poseloop.multiview.schedule import make_scheduler, min_snr_weights, predict_original
from poseloop.multiview.views import matte, mirror_views, to_float, to_uint8

SCHEDULE = ScheduleConfig(
    train_timesteps=1000, beta_start=0.00085, beta_end=0.012, timestep_spacing="trailing"
)


def test_the_denoiser_starts_at_zero_and_keeps_the_shape():
    latents = torch.randn(2, 6, 2, 4, 16, 16)
    v = small_denoiser()(latents, torch.tensor([10, 900]), torch.randn(2, 4, 16, 16))
    assert v.shape == latents.shape
    assert not v.any()


def test_subjects_of_a_batch_do_not_see_each_other():
    denoiser = small_denoiser()
    torch.nn.init.normal_(denoiser.conv_out.weight, std=0.1)
    torch.nn.init.normal_(denoiser.skip_gate.weight, std=0.1)
    latents, image = torch.randn(2, 6, 2, 4, 16, 16), torch.randn(2, 4, 16, 16)
    timesteps = torch.tensor([10, 900])
    together = denoiser(latents, timesteps, image)
    alone = denoiser(latents[1:], timesteps[1:], image[1:])
    torch.testing.assert_close(together[1:], alone, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(("kind", "other_row_moves"), [("row", False), ("full", True)])
def test_row_attention_stays_in_its_image_row(kind, other_row_moves):
    torch.manual_seed(0)
    block = MultiViewBlock(8, heads=2, kind=kind)
    torch.nn.init.normal_(block.view_attention.to_out.weight)
    block.joint_attention.to_out.weight.data.zero_()
    block.joint_attention.to_out.bias.data.zero_()
    features = torch.randn(12, 8, 4, 4)
    changed = features.clone()
    changed[0, :, 1] += torch.randn(8, 4)
    difference = (block(changed, views=6) - block(features, views=6)).abs().amax((0, 1, 3))
    assert difference[1] > 1e-3
    assert bool(difference[3] > 1e-5) is other_row_moves


def test_other_views_learn_of_a_change_in_one_view():
    torch.manual_seed(0)
    block = MultiViewBlock(8, heads=2, kind="row")
    torch.nn.init.normal_(block.view_attention.to_out.weight)
    features = torch.randn(12, 8, 4, 4)
    changed = features.clone()
    changed[0] += torch.randn(8, 4, 4)
    moved = (block(changed, views=6) - block(features, views=6)).abs().amax((1, 2, 3))
    assert (moved > 1e-4).all()


def test_a_true_velocity_gives_back_the_clean_latents():
    scheduler = make_scheduler(SCHEDULE)
    clean, noise = torch.randn(3, 6, 2, 4, 8, 8), torch.randn(3, 6, 2, 4, 8, 8)
    timesteps = torch.tensor([0, 500, 999])
    noisy = scheduler.add_noise(clean, noise, timesteps)
    v = scheduler.get_velocity(clean, noise, timesteps)
    estimate = predict_original(scheduler, v, noisy, timesteps)
    torch.testing.assert_close(estimate, clean, atol=1e-5, rtol=1e-4)


def test_min_snr_weights_by_hand():
    scheduler = make_scheduler(SCHEDULE)
    timesteps = torch.tensor([0, 999])
    a0 = scheduler.alphas_cumprod[0].item()
    expected = [5.0 * (1 - a0) / a0, 1.0]
    torch.testing.assert_close(min_snr_weights(scheduler, timesteps, 5.0), torch.tensor(expected))


def test_sampling_with_an_oracle_ends_at_the_truth():
    scheduler = make_scheduler(SCHEDULE)
    truth = torch.randn(1, 6, 2, 4, 8, 8)

    def oracle(latents, timesteps, image_latents):
        alpha = scheduler.alphas_cumprod[timesteps].sqrt().view(-1, 1, 1, 1, 1, 1)
        sigma = (1 - alpha**2).sqrt()
        return (alpha * latents - truth) / sigma

    image = torch.zeros(1, 4, 8, 8)
    result = sample(oracle, scheduler, image, torch.randn_like(truth), steps=10)
    torch.testing.assert_close(result, truth, atol=1e-4, rtol=1e-3)


def test_guidance_extrapolates_from_the_unconditional_prediction():
    scheduler = make_scheduler(SCHEDULE)

    def denoiser(latents, timesteps, image_latents):
        return torch.ones_like(latents) * image_latents.mean()

    noise, image = torch.zeros(1, 6, 2, 4, 8, 8), torch.ones(1, 4, 8, 8)
    once = sample(denoiser, scheduler, image, noise, steps=1)
    guided = sample(denoiser, scheduler, image, noise, steps=1, guidance=3.0)
    torch.testing.assert_close(guided, 3.0 * once)


def test_mirroring_is_its_own_inverse_and_leaves_other_views():
    images = torch.randn(2, 6, 3, 4, 5)
    mirrored = mirror_views(images, [3, 4], view_dim=1)
    torch.testing.assert_close(mirror_views(mirrored, [3, 4], view_dim=1), images)
    torch.testing.assert_close(mirrored[:, 3], images[:, 3].flip(-1))
    torch.testing.assert_close(mirrored[:, [0, 1, 2, 5]], images[:, [0, 1, 2, 5]])


def test_pixels_survive_the_round_trip_and_the_matte():
    rgb = torch.randint(0, 256, (2, 8, 8, 3), dtype=torch.uint8)
    torch.testing.assert_close(to_uint8(to_float(rgb)), rgb)
    mask = torch.zeros(2, 8, 8, dtype=torch.uint8)
    mask[:, :4] = 255
    matted = matte(rgb, mask)
    torch.testing.assert_close(matted[:, :4], rgb[:, :4])
    assert (matted[:, 4:] == 255).all()
