import json
import pickle

import pytest
import torch
from safetensors.torch import save_file
from tiny_pshuman import TINY, inputs, tiny

from poseloop.multiview.config import ScheduleConfig
from poseloop.multiview.pshuman.config import ReleasedConfig
from poseloop.multiview.pshuman.keymap import to_released
from poseloop.multiview.pshuman.loading import load_released, load_unet
from poseloop.multiview.sampler import sample
from poseloop.multiview.schedule import make_scheduler
from poseloop.runtime.errors import UserError

CPU = torch.device("cpu")
WEIGHTS = "unet/diffusion_pytorch_model.safetensors"
NAME = "mid_block.attentions.0.transformer_blocks.0.attn_mv.to_q.weight"


@pytest.fixture
def released(tmp_path):
    """A folder as on the hub, of a tiny network, with prompts beside it."""
    state = {to_released(key): value for key, value in tiny().state_dict().items()}
    (tmp_path / "unet").mkdir()
    save_file(state, tmp_path / WEIGHTS)
    for name in ("normal_embeds.pt", "clr_embeds.pt"):
        embeds = torch.randn(4, 5, TINY["prompt_channels"]).half()
        torch.save(embeds, tmp_path / name)
    return tmp_path, state


def config_of(folder, **changes):
    settings = {"path": str(folder), "prompts": str(folder), "dtype": "float32"}
    return ReleasedConfig(mirrored_views=[1], unet=TINY, **settings | changes)


def test_weights_come_back_under_our_names(released):
    folder, _ = released
    unet = load_unet(config_of(folder))
    assert not any(parameter.requires_grad for parameter in unet.parameters())
    with torch.no_grad():
        torch.testing.assert_close(unet(*inputs(unet.config)), tiny()(*inputs(unet.config)))


def test_shards_halves_and_bin_files_are_read(released):
    folder, state = released
    (folder / WEIGHTS).unlink()
    names = sorted(state)
    for part in range(2):
        shard = {name: state[name].half() for name in names[part::2]}
        save_file(shard, folder / f"unet/diffusion_pytorch_model-0000{part + 1}.safetensors")
    sharded = load_unet(config_of(folder / "unet", dtype="float16")).state_dict()
    for file in (folder / "unet").iterdir():
        file.unlink()
    torch.save(state, folder / "unet/diffusion_pytorch_model.bin")
    whole = load_unet(config_of(folder)).state_dict()
    for name, value in sharded.items():
        assert value.dtype == torch.float16
        torch.testing.assert_close(value, whole[name].half())


def cut(folder, state):
    path = folder / WEIGHTS
    path.write_bytes(path.read_bytes()[:-100])


def empty(folder, state):
    (folder / WEIGHTS).write_bytes(b"")


def lack(folder, state):
    save_file({key: state[key] for key in state if key != NAME}, folder / WEIGHTS)


def reshape(folder, state):
    save_file(state | {NAME: torch.zeros(3, 3)}, folder / WEIGHTS)


def add(folder, state):
    save_file(state | {"mid_block.extra.weight": torch.zeros(1)}, folder / WEIGHTS)


def repeat(folder, state):
    save_file({NAME: state[NAME]}, folder / "unet/zz.fp16.safetensors")


def remove(folder, state):
    (folder / WEIGHTS).unlink()


def declare(folder, state):
    (folder / "unet/config.json").write_text(json.dumps({"num_views": 6, "sample_size": 12}))


def other_bin(content):
    def write(folder, state):
        (folder / WEIGHTS).unlink()
        (folder / "unet/weights.bin").write_bytes(content)

    return write


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (cut, f"{WEIGHTS}: truncated or not a safetensors file"),
        (empty, f"{WEIGHTS}: truncated or not a safetensors file"),
        (lack, f"{WEIGHTS}: parameter {NAME} is missing; is the download complete?"),
        (reshape, f"{WEIGHTS}: parameter {NAME} has shape (3, 3), not (32, 32)"),
        (add, f"{WEIGHTS}: parameter mid_block.extra.weight is not of the configured model"),
        (repeat, f"parameter {NAME} is in diffusion_pytorch_model.safetensors too; keep one"),
        (remove, "unet: holds no *.safetensors and no *.bin"),
        (
            declare,
            "unet/config.json: num_views is 6, not 4: these are the weights of another model",
        ),
        (other_bin(b"half a file"), "unet/weights.bin: truncated or not a file of tensors alone"),
        (other_bin(pickle.dumps(print)), "unet/weights.bin: truncated or not a file of tensors"),
        (other_bin(b""), "unet/weights.bin: truncated or not a file of tensors alone"),
    ],
)
def test_a_faulty_checkpoint_is_one_message_with_file_and_parameter(released, damage, message):
    folder, state = released
    damage(folder, state)
    with pytest.raises(UserError) as fault:
        load_unet(config_of(folder))
    assert message in str(fault.value)
    assert str(folder) in str(fault.value)
    assert "\n" not in str(fault.value)


def test_a_folder_that_is_not_there_and_a_link_out_of_it_are_named(released):
    folder, _ = released
    with pytest.raises(UserError, match="nowhere: folder of the weights not found"):
        load_unet(config_of(folder / "nowhere"))
    outside = folder / "outside.safetensors"
    (folder / WEIGHTS).rename(outside)
    (folder / WEIGHTS).symlink_to(outside)
    with pytest.raises(UserError, match="leads out of the folder"):
        load_unet(config_of(folder))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (torch.zeros(3, 5, 12), "has shape (3, 5, 12), not (4, tokens, 12)"),
        ({"embeds": torch.zeros(4, 5, 12)}, "not a tensor of slots, tokens and channels"),
        (None, "embeddings of the prompts not found"),
    ],
)
def test_faulty_prompts_are_named(released, content, message):
    folder, _ = released
    path = folder / "clr_embeds.pt"
    path.unlink()
    if content is not None:
        torch.save(content, path)
    with pytest.raises(UserError) as fault:
        load_released(config_of(folder), CPU)
    assert str(fault.value) == f"{path}: {message}"


def test_prompts_of_two_lengths_are_refused(released):
    folder, _ = released
    path = folder / "clr_embeds.pt"
    torch.save(torch.load(path, weights_only=True)[:, 1:].clone(), path)
    with pytest.raises(UserError, match="normal_embeds.pt and clr_embeds.pt have"):
        load_released(config_of(folder), CPU)


def test_the_adapter_is_sampled_like_the_small_denoiser(released):
    folder, _ = released
    denoiser = load_released(config_of(folder), CPU)
    config = denoiser.unet.config
    generator = torch.Generator().manual_seed(2)
    image, face = torch.randn(2, 2, 4, 12, 12, generator=generator)
    picture = torch.randn(2, config.picture_channels, generator=generator)
    noise = torch.randn(2, config.slots, 2, 4, 12, 12, generator=generator)
    schedule = ScheduleConfig(
        train_timesteps=1000, beta_start=0.00085, beta_end=0.012, timestep_spacing="leading"
    )
    bound = denoiser.bind(picture, face)
    latents = sample(bound, make_scheduler(schedule), image, noise, steps=2, guidance=3.0)
    assert latents.shape == noise.shape

    # By hand: two steps of the guided network itself.
    scheduler = make_scheduler(schedule)
    scheduler.set_timesteps(2)
    given = torch.stack([image, image, image, face], dim=1)
    pictures = picture[:, None].expand(-1, 4, -1)
    expected = noise
    with torch.no_grad():
        for timestep in scheduler.timesteps:
            times = timestep.expand(2)
            shown = denoiser.unet(expected, times, given, pictures, denoiser.prompts)
            hidden = denoiser.unet(expected, times, 0 * given, 0 * pictures, denoiser.prompts)
            v = hidden + 3.0 * (shown - hidden)
            expected = scheduler.step(v, timestep, expected).prev_sample
    torch.testing.assert_close(latents, expected, atol=1e-4, rtol=1e-3)


def test_prompts_go_to_their_modality_and_slot(released):
    folder, _ = released
    denoiser = load_released(config_of(folder), CPU)
    colour = torch.load(folder / "clr_embeds.pt", weights_only=True).float()
    torch.testing.assert_close(denoiser.prompts[:, 1], colour)


def test_a_face_is_given_to_a_network_with_its_slot_and_to_no_other(released):
    folder, _ = released
    denoiser = load_released(config_of(folder), CPU)
    with pytest.raises(ValueError, match="face_latents"):
        denoiser.bind(torch.zeros(1, TINY["picture_channels"]))
