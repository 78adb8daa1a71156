"""Build a released denoiser and fill it with its weights."""

import torch

from poseloop.multiview.pshuman.adapter import ReleasedDenoiser
from poseloop.multiview.pshuman.checkpoint import check_declared, read_released
from poseloop.multiview.pshuman.conditions import read_prompts
from poseloop.multiview.pshuman.config import ReleasedConfig, UNetConfig
from poseloop.multiview.pshuman.keymap import from_released, to_released
from poseloop.multiview.pshuman.unet import MultiViewUNet


def released_shapes(config: UNetConfig) -> dict[str, tuple[int, ...]]:
    """Shape of every parameter by its name in a released checkpoint."""
    return _shapes_of(without_weights(config))


def without_weights(config: UNetConfig) -> MultiViewUNet:
    """The U-Net on the meta device: names and shapes, and no memory."""
    with torch.device("meta"):
        return MultiViewUNet(config)


def _shapes_of(unet: MultiViewUNet) -> dict[str, tuple[int, ...]]:
    return {to_released(name): tuple(tensor.shape) for name, tensor in unet.state_dict().items()}


def load_unet(config: ReleasedConfig) -> MultiViewUNet:
    """The U-Net with released weights, frozen, in evaluation mode, on the CPU.

    Raises
    ------
    UserError
        The folder is missing, incomplete, or holds another model's weights.
    """
    shape = config.unet
    declared = {
        "num_views": shape.slots,
        "in_channels": 2 * shape.latent_channels,
        "out_channels": shape.latent_channels,
        "sample_size": shape.sample_size,
        "regress_elevation": "elevation" in shape.regressed,
        "regress_focal_length": "focal" in shape.regressed,
    }
    check_declared(config.path, declared)
    unet = without_weights(shape)
    state = read_released(config.path, _shapes_of(unet), config.torch_dtype)
    unet.load_state_dict({from_released(name): state[name] for name in state}, assign=True)
    return unet.eval().requires_grad_(False)


def load_released(config: ReleasedConfig, device: torch.device) -> ReleasedDenoiser:
    """A released denoiser with its prompts, frozen, in evaluation mode.

    Raises
    ------
    UserError
        As `load_unet` and `read_prompts`.
    """
    prompts = read_prompts(config.prompts, config.unet).to(config.torch_dtype)
    return ReleasedDenoiser(load_unet(config), prompts).to(device)
