"""How a network is computed: precision, compiled kernels, activations kept or made again."""

from collections.abc import Callable

import torch
from torch import nn

from poseloop.multiview.config import ComputeConfig

Function = Callable[..., torch.Tensor]


def computed(network: nn.Module, config: ComputeConfig) -> Function:
    """`network` as a function of the same inputs that is computed as `config` says.

    The result is float32 whatever the precision. Parameters stay the network's own, so gradients
    of the function reach them.
    """
    function = torch.compile(network) if config.compile else network
    if config.precision == "float32":
        return function

    def mixed(latents: torch.Tensor, *others: torch.Tensor) -> torch.Tensor:
        with torch.autocast(latents.device.type, torch.bfloat16):
            return function(latents, *others).float()

    return mixed
