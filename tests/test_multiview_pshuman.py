import math

import pytest
import torch
from diffusers import UNet2DConditionModel
from pshuman_reference import Reference
from tiny_pshuman import inputs, tiny
from workflow_clone import ROOT

from poseloop.multiview.pshuman import transformer
from poseloop.multiview.pshuman.attention import blend_face
from poseloop.multiview.pshuman.conditions import face_window, picture_condition
from poseloop.multiview.pshuman.config import ReleasedConfig
from poseloop.multiview.pshuman.keymap import from_released, to_released
from poseloop.multiview.pshuman.loading import released_shapes
from poseloop.multiview.pshuman.unet import MultiViewUNet
from poseloop.runtime.config import load_config
from poseloop.runtime.errors import UserError

VARIANTS = {
    "pshuman": {},
    "era3d_ortho": {"face": False},
    "era3d": {"face": False, "regressed": ["elevation", "focal"]},
}
# Stable Diffusion 2.1 unCLIP's U-Net (v2-1-stable-unclip-h-inference.yaml), as diffusers calls it.
UNCLIP = {
    "block_out_channels": (320, 640, 1280, 1280),
    "attention_head_dim": (5, 10, 20, 20),
    "layers_per_block": 2,
    "cross_attention_dim": 1024,
    "use_linear_projection": True,
    "class_embed_type": "projection",
    "projection_class_embeddings_input_dim": 2048,
}


def published_shapes(name):
    """Names and shapes of the released checkpoints, from diffusers' own U-Net.

    PSHuman's and Era3D's code adds to each transformer block `norm_mv` and `attn_mv` of the shapes
    of `norm1` and `attn1`, and has eight input channels; nothing else has parameters.
    """
    with torch.device("meta"):
        state = UNet2DConditionModel(in_channels=8, **UNCLIP).state_dict()
    shapes = {key: tuple(tensor.shape) for key, tensor in state.items()}
    for key in [key for key in shapes if ".transformer_blocks." in key]:
        for module, more in ((".norm1.", ".norm_mv."), (".attn1.", ".attn_mv.")):
            if module in key:
                shapes[key.replace(module, more)] = shapes[key]
    if name == "era3d":
        linear = {"camera_embedding.linear_1": (1280, 4), "camera_embedding.linear_2": (1280, 1280)}
        for regressor in ("elevation_regressor", "focal_regressor"):
            linear[f"{regressor}.linear_in.0"] = (1280, 2560)
            linear[f"{regressor}.linear_out"] = (1, 1280)
            for block in range(3):
                for layer in (1, 2):
                    linear[f"{regressor}.blocks.{block}.linear{layer}"] = (1280, 1280)
        for key, shape in linear.items():
            shapes |= {f"{key}.weight": shape, f"{key}.bias": shape[:1]}
    return shapes


@pytest.mark.parametrize("name", VARIANTS)
def test_every_published_parameter_has_its_place_and_shape(name):
    config = load_config(ROOT / f"config/paper/{name}.yaml", ReleasedConfig).unet
    assert config.slots == {"pshuman": 7}.get(name, 6)
    published = published_shapes(name)
    assert released_shapes(config) == published
    with torch.device("meta"):
        ours = set(MultiViewUNet(config).state_dict())
    assert {from_released(key) for key in published} == ours
    assert len(ours) == len(published)


def test_the_size_of_the_published_network_is_that_of_the_files_on_the_hub():
    # 3.95 GB in half precision with CLIP's picture encoder (632.1 M parameters), the prompts'
    # encoder (340.4 M) and the autoencoder (83.7 M).
    shapes = published_shapes("pshuman")
    parameters = sum(math.prod(shape) for shape in shapes.values()) + 632.1e6 + 340.4e6 + 83.7e6
    assert round(2 * parameters / 1e9, 2) == 3.95


def test_names_map_there_and_back():
    name = "down_blocks.0.attentions.1.transformer_blocks.0.attn_mv.to_out.0.weight"
    assert from_released(name) == "down_blocks.0.attentions.1.blocks.0.row_attention.to_out.weight"
    # A norm of a residual block is no norm of attention.
    assert from_released("mid_block.resnets.0.norm1.bias") == "mid_block.resnets.0.norm1.bias"
    for key in published_shapes("era3d"):
        assert to_released(from_released(key)) == key


@pytest.mark.parametrize("name", VARIANTS)
def test_a_forward_pass_is_the_released_equations(name):
    unet = tiny(**VARIANTS[name])
    config = unet.config
    latents, timesteps, image_latents, picture, prompts = inputs(config)
    with torch.no_grad():
        v = unet(latents, timesteps, image_latents, picture, prompts)

    weights = {to_released(key): value for key, value in unet.state_dict().items()}
    reference = Reference(weights, config.heads, config.norm_groups, config.views, config.face)

    def released(items):
        """(B, slots, 2, ...) to all normal maps, then all colour images."""
        return items.movedim(2, 0).flatten(0, 2)

    def for_both(items):
        return torch.cat([items.flatten(0, 1)] * 2)

    with torch.no_grad():
        expected = reference(
            released(latents),
            timesteps.T.repeat_interleave(config.slots, dim=1).flatten(),
            for_both(image_latents),
            for_both(picture),
            released(prompts.expand(2, *prompts.shape)),
        )
    torch.testing.assert_close(released(v), expected, atol=1e-4, rtol=1e-4)
    assert expected.std() > 0.05


def test_equal_modalities_and_silent_views_are_plain_stable_diffusion():
    # Twice the same keys weigh as once, so joint attention over equal maps is self-attention.
    unet = tiny(face=False)
    config = unet.config
    plain = UNet2DConditionModel(
        in_channels=8,
        sample_size=config.sample_size,
        down_block_types=("CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"),
        **UNCLIP
        | {
            "block_out_channels": config.channels,
            "attention_head_dim": config.heads,
            "cross_attention_dim": config.prompt_channels,
            "projection_class_embeddings_input_dim": config.picture_channels,
            "norm_num_groups": config.norm_groups,
        },
    ).eval()
    for name, parameter in unet.named_parameters():
        if "row_attention.to_out" in name:
            parameter.data.zero_()
    state = {to_released(key): value for key, value in unet.state_dict().items()}
    plain.load_state_dict({key: value for key, value in state.items() if "_mv." not in key})

    latents, timesteps, image_latents, picture, prompts = inputs(config)
    latents[:, :, 1], timesteps[:, 1], prompts[:, 1] = (
        latents[:, :, 0],
        timesteps[:, 0],
        prompts[:, 0],
    )
    with torch.no_grad():
        v = unet(latents, timesteps, image_latents, picture, prompts)
        for subject in range(2):
            for view in range(config.views):
                expected = plain(
                    torch.cat([latents[subject, view, 0], image_latents[subject, view]])[None],
                    timesteps[subject, 0],
                    prompts[view, :1],
                    class_labels=picture[subject, view][None],
                ).sample[0]
                for modality in range(2):
                    torch.testing.assert_close(
                        v[subject, view, modality], expected, atol=1e-5, rtol=1e-4
                    )


def test_the_face_reaches_its_window_of_the_front_view_alone_and_takes_no_gradient():
    features = torch.randn(2, 3, 2, 6, 6, 4, requires_grad=True)
    blended = blend_face(features)
    changed = (blended != features).any(-1)
    window = torch.zeros(6, 6, dtype=torch.bool)
    window[:2, 2:4] = True
    assert (changed[:, 0] == window).all()
    assert not changed[:, 1:].any()
    blended[:, 0].sum().backward()
    assert not features.grad[:, 2].any()
    torch.testing.assert_close(features.grad[:, 0, :, :2, 2:4], torch.full((2, 2, 2, 2, 4), 0.5))


@pytest.mark.parametrize("blended", [True, False])
def test_the_face_moves_the_views_through_the_blend_alone(monkeypatch, blended):
    if not blended:
        monkeypatch.setattr(transformer, "blend_face", lambda features: features)
    unet = tiny()
    arguments = inputs(unet.config)
    changed = arguments[0].clone()
    changed[:, -1] += 1.0
    with torch.no_grad():
        moved = (unet(changed, *arguments[1:]) != unet(*arguments)).flatten(2).any(-1)
    assert moved[:, -1].all()
    assert moved[:, :-1].all() if blended else not moved[:, :-1].any()


def test_subjects_of_a_batch_do_not_see_each_other():
    unet = tiny(regressed=["elevation"])
    *arguments, prompts = inputs(unet.config)
    with torch.no_grad():
        together = unet(*arguments, prompts)
        alone = unet(*(argument[1:] for argument in arguments), prompts)
    torch.testing.assert_close(together[1:], alone, atol=1e-5, rtol=1e-4)


def test_checkpointing_changes_no_gradient():
    gradients = []
    for checkpointing in (False, True):
        unet = tiny(gradient_checkpointing=checkpointing)
        unet(*inputs(unet.config, subjects=1)).square().mean().backward()
        gradients.append([parameter.grad for parameter in unet.parameters()])
    for plain, again in zip(*gradients, strict=True):
        torch.testing.assert_close(plain, again)


def test_the_pictures_condition_ends_in_the_code_of_level_zero():
    embeds = torch.randn(2, 7, 6)
    condition = picture_condition(embeds)
    torch.testing.assert_close(condition[..., :6], embeds)
    torch.testing.assert_close(condition[1, 3, 6:], torch.tensor([1.0, 1.0, 1.0, 0.0, 0.0, 0.0]))


def test_the_face_window_of_768_pixels_is_the_published_one():
    images = torch.arange(768 * 768).view(1, 768, 768)
    torch.testing.assert_close(face_window(images), images[:, 0:256, 256:512])


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("sample_size", "sample_size: 92", "unet: Value error, sample_size must be a multiple of"),
        ("heads", "heads: [5, 10, 20]", "heads and channels must have as many entries"),
        ("mirrored_views", "mirrored_views: [3, 6]", "there is no view 6"),
        ("face", "fase: true", "unet.fase: Extra inputs"),
    ],
)
def test_a_fault_in_the_config_names_field_and_file(tmp_path, field, value, message):
    lines = (ROOT / "config/paper/pshuman.yaml").read_text().splitlines()
    path = tmp_path / "pshuman.yaml"
    path.write_text(
        "\n".join(
            line[: len(line) - len(line.lstrip())] + value
            if line.lstrip().startswith(f"{field}:")
            else line
            for line in lines
        )
    )
    with pytest.raises(UserError) as fault:
        load_config(path, ReleasedConfig)
    assert str(path) in str(fault.value)
    assert message in str(fault.value)
