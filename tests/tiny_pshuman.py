"""PSHuman's and Era3D's networks, small enough for tests."""

import math

import torch

from poseloop.multiview.pshuman.config import UNetConfig
from poseloop.multiview.pshuman.unet import MultiViewUNet

TINY = {
    "views": 3,
    "face": True,
    "latent_channels": 4,
    "sample_size": 12,
    "channels": [16, 32, 32],
    "heads": [2, 4, 4],
    "blocks": 2,
    "norm_groups": 8,
    "prompt_channels": 12,
    "picture_channels": 10,
    "regressed": [],
    "regressor_channels": 8,
    "regressor_blocks": 2,
    "gradient_checkpointing": False,
}


def tiny(**changes):
    """A small network none of whose weights is zero."""
    torch.manual_seed(0)
    unet = MultiViewUNet(UNetConfig(**TINY | changes)).eval()
    for parameter in unet.parameters():
        torch.nn.init.normal_(parameter, std=0.5 / math.sqrt(parameter[0].numel()))
    return unet


def inputs(config, subjects=2, tokens=5):
    generator = torch.Generator().manual_seed(1)

    def noise(*shape):
        return torch.randn(shape, generator=generator)

    side, channels = config.sample_size, config.latent_channels
    return (
        noise(subjects, config.slots, 2, channels, side, side),
        torch.tensor([[7, 950], [420, 3]])[:subjects],
        noise(subjects, config.slots, channels, side, side),
        noise(subjects, config.slots, config.picture_channels),
        noise(config.slots, 2, tokens, config.prompt_channels),
    )
