"""The image-animation model: shapes, conditions, guidance, sampling, training, resume."""

from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_animate import AUTOENCODER, FRAMES, LATENT, SIDE, animate_config, random_clips

from poseloop.multiview.animate.clips import encode_clips, sequence_noise
from poseloop.multiview.animate.config import AnimateConfig
from poseloop.multiview.animate.network import AnimationDenoiser
from poseloop.multiview.animate.sampling import (
    draw_frames,
    guided_prediction,
    load_animator,
    redraw,
)
from poseloop.multiview.animate.training import train_animator
from poseloop.multiview.autoencoder import Autoencoder
from poseloop.runtime.checkpoints import Checkpoints
from poseloop.runtime.config import load_config
from poseloop.runtime.errors import UserError
from poseloop.runtime.weights import write_weights

ROOT = Path(__file__).resolve().parents[1]
CPU = torch.device("cpu")


@pytest.fixture
def denoiser() -> AnimationDenoiser:
    """With every zero-initialised layer set, so that each input can matter."""
    torch.manual_seed(0)
    network = AnimationDenoiser(animate_config().network)
    for parameter in network.parameters():
        if not parameter.any():
            torch.nn.init.normal_(parameter, std=0.2)
    return network.eval()


@pytest.fixture
def inputs() -> dict[str, torch.Tensor]:
    data = random_clips(2)
    return {
        "latents": data.latents,
        "timesteps": torch.tensor([10, 600]),
        "reference_latents": data.reference_latents,
        "parts": data.parts.movedim(-1, 2) / 127.5 - 1,
    }


@pytest.fixture
def autoencoder() -> Autoencoder:
    torch.manual_seed(1)
    return Autoencoder(AUTOENCODER).eval().requires_grad_(False)


def make_checkpoints(folder, monkeypatch, every=100) -> Checkpoints:
    monkeypatch.setattr("poseloop.runtime.checkpoints.SCRATCH", folder)
    return Checkpoints("run", every)


def test_prediction_has_the_shape_of_the_latents(denoiser, inputs):
    assert denoiser(**inputs).shape == (2, FRAMES, LATENT, SIDE // 2, SIDE // 2)


@pytest.mark.parametrize("name", ["latents", "timesteps", "reference_latents", "parts"])
def test_every_input_matters_and_only_to_its_own_sequence(denoiser, inputs, name):
    before = denoiser(**inputs)
    changed = inputs[name].clone()
    changed[0] = changed[0].flip(0) if name != "timesteps" else 900
    after = denoiser(**{**inputs, name: changed})
    assert (after[0] - before[0]).abs().max() > 1e-3
    assert torch.allclose(after[1], before[1], atol=1e-5)


def test_motion_modules_carry_one_frames_pose_to_the_others(denoiser, inputs):
    changed = inputs["parts"].clone()
    changed[0, 0] = -1
    moved = (denoiser(**{**inputs, "parts": changed}) - denoiser(**inputs)).abs()
    assert moved[0, 2].max() > 1e-4
    # A fresh motion module leaves frames alone.
    for module in denoiser.modules():
        if hasattr(module, "proj_out"):
            torch.nn.init.zeros_(module.proj_out.weight)
            torch.nn.init.zeros_(module.proj_out.bias)
    moved = (denoiser(**{**inputs, "parts": changed}) - denoiser(**inputs)).abs()
    assert moved[0, 0].max() > 1e-4
    assert moved[0, 2].max() < 1e-6


def test_guidance_extrapolates_from_the_prediction_without_reference(denoiser, inputs):
    with torch.no_grad():
        given = denoiser(**inputs)
        without = denoiser(
            **{**inputs, "reference_latents": torch.zeros_like(inputs["reference_latents"])}
        )
        ordered = list(inputs.values())
        assert torch.equal(guided_prediction(denoiser, *ordered, 1.0), given)
        assert torch.allclose(
            guided_prediction(denoiser, *ordered, 3.0), without + 3 * (given - without), atol=1e-5
        )


def test_frames_share_the_configured_part_of_their_noise():
    noise = sequence_noise(torch.Size((4, 2, 5000)), 0.6, torch.Generator().manual_seed(0))
    assert noise.var() == pytest.approx(1, abs=0.05)
    first, second = noise[:, 0].flatten(), noise[:, 1].flatten()
    assert (first * second).mean() == pytest.approx(0.6, abs=0.03)


@pytest.mark.parametrize("eta", [0.0, 1.0])
def test_drawing_is_deterministic_and_knows_no_neighbours(denoiser, autoencoder, eta):
    config = animate_config(eta=eta)
    rng = np.random.default_rng(0)
    reference = rng.integers(0, 256, (3, SIDE, SIDE, 3), np.uint8)
    parts = rng.integers(0, 256, (3, FRAMES, SIDE, SIDE, 3), np.uint8)

    def draw(rows=slice(None), name="x"):
        return draw_frames(denoiser, autoencoder, reference[rows], parts[rows], config, CPU, name)

    frames = draw()
    assert frames.shape == parts.shape
    assert frames.dtype == np.uint8
    assert np.array_equal(frames, draw())
    assert not np.array_equal(frames, draw(name="y"))
    # Alone in its batch a sequence has the same noise: rounding of sums apart, the same frames.
    alone = draw(slice(0, 1))[0].astype(int)
    assert np.abs(alone - frames[0]).max() <= 1


def test_overfitting_one_sequence_lowers_the_loss(tmp_path, monkeypatch):
    config = animate_config(steps=50)
    data = random_clips(1)
    _, rows = train_animator(config, data, data, CPU, make_checkpoints(tmp_path, monkeypatch))
    losses = [row["loss"] for row in rows if row["step"] > 0]
    assert np.mean(losses[-10:]) < 0.7 * np.mean(losses[:10])
    assert rows[-1]["validation"] < rows[0]["validation"]


def test_a_resumed_run_ends_as_an_unbroken_one(tmp_path, monkeypatch):
    config, data = animate_config(steps=4), random_clips(3)
    whole, rows = train_animator(
        config, data, data, CPU, make_checkpoints(tmp_path / "a", monkeypatch)
    )

    class Killed(Exception):
        pass

    broken = make_checkpoints(tmp_path / "b", monkeypatch, every=2)
    save = broken.save

    def save_and_die(step, state):
        save(step, state)
        if step == 3:
            raise Killed

    broken.save = save_and_die
    with pytest.raises(Killed):
        train_animator(config, data, data, CPU, broken)
    resumed, resumed_rows = train_animator(
        config, data, data, CPU, make_checkpoints(tmp_path / "b", monkeypatch, every=2)
    )
    assert resumed_rows == rows
    for name, value in whole.state_dict().items():
        assert torch.equal(value, resumed.state_dict()[name]), name


@pytest.mark.parametrize(
    ("network", "message"),
    [
        ({"latent_channels": 8}, "network.latent_channels: 8, the autoencoder has 4"),
        ({"guider_channels": [8, 8]}, "guider_channels: 2 halvings"),
        ({"motion_frames": 2}, "network.motion_frames: 2 of 3"),
        ({"channels": [16] * 5, "blocks": [1] * 5}, "no multiple of 16"),
    ],
)
def test_a_network_that_does_not_fit_is_named(tmp_path, monkeypatch, network, message):
    config = animate_config()
    config = config.model_copy(update={"network": config.network.model_copy(update=network)})
    data = random_clips(2)
    with pytest.raises(UserError, match=message):
        train_animator(config, data, data, CPU, make_checkpoints(tmp_path, monkeypatch))


def test_weights_rebuild_the_model(denoiser, inputs, tmp_path):
    config = animate_config()
    path = tmp_path / "model.safetensors"
    write_weights(path, denoiser.state_dict(), {"animate": config.model_dump()})
    loaded, stored = load_animator(path, CPU)
    assert stored == config
    with torch.no_grad():
        assert torch.equal(loaded(**inputs), denoiser(**inputs))


def test_sequences_are_encoded_frame_by_frame(autoencoder):
    rng = np.random.default_rng(0)
    rgb = rng.integers(0, 256, (2, FRAMES, SIDE, SIDE, 3), np.uint8)
    clips = encode_clips(autoencoder, rgb, rgb[:, 0], rgb, 4)
    assert clips.latents.shape == (2, FRAMES, LATENT, SIDE // 2, SIDE // 2)
    assert torch.allclose(clips.reference_latents, clips.latents[:, 0], atol=1e-5)
    assert redraw(autoencoder, rgb, 4).shape == rgb.shape


def test_the_workstation_network_has_its_size_and_shapes():
    """On the meta device: shapes and parameters, no memory and no arithmetic."""
    config = load_config(ROOT / "config/workstation/animate.yaml", AnimateConfig)
    with torch.device("meta"):
        network = AnimationDenoiser(config.network)
        latents = torch.empty(2, 10, 4, 32, 32)
        predicted = network(
            latents, torch.empty(2).long(), latents[:, 0], torch.empty(2, 10, 3, 256, 256)
        )
    assert predicted.shape == latents.shape
    millions = sum(parameter.numel() for parameter in network.parameters()) / 1e6
    assert 50 < millions < 150
