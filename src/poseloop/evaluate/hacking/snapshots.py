"""Weights along one fine-tuning run, as finetune_family writes them."""

from dataclasses import dataclass
from pathlib import Path

import torch

from poseloop.multiview.config import MultiviewConfig
from poseloop.multiview.denoiser import MultiViewDenoiser
from poseloop.runtime.errors import UserError
from poseloop.runtime.rebuilding import rebuilding
from poseloop.runtime.refusing import refusing
from poseloop.runtime.weights import load_into, read_weights


@dataclass(frozen=True)
class Snapshots:
    """The weight average at several steps.

    Attributes
    ----------
    path : where they were read
    config : of the base
    states : step to weights, in the order of steps; step 0 is the base
    """

    path: Path
    config: MultiviewConfig
    states: dict[int, dict[str, torch.Tensor]]

    def load(self, step: int, device: torch.device) -> MultiViewDenoiser:
        """The denoiser of a step, frozen, in evaluation mode.

        Raises
        ------
        UserError
            The weights are not those of the configured network.
        """
        with rebuilding(self.path, self.states[step]):
            denoiser = MultiViewDenoiser(self.config.denoiser)
        load_into(denoiser, self.states[step], self.path)
        denoiser = denoiser.to(device, memory_format=torch.channels_last)
        return denoiser.eval().requires_grad_(False)


def read_snapshots(path: str | Path) -> Snapshots:
    """Read tensors named `<step>/<parameter name>`.

    Raises
    ------
    UserError
        The file is missing or holds other weights, or no base (step 0).
    """
    tensors, metadata = read_weights(path)
    states: dict[int, dict[str, torch.Tensor]] = {}
    for key, tensor in tensors.items():
        step, _, name = key.partition("/")
        if not (step.isdecimal() and len(step) < 10 and name):
            raise UserError(f"{path}: tensor {key!r} is not named <step>/<parameter name>")
        states.setdefault(int(step), {})[name] = tensor
    if 0 not in states:
        raise UserError(f"{path}: no weights of step 0, the base")
    with refusing(path, "no configuration of a denoiser"):
        config = MultiviewConfig.model_validate(metadata["multiview"])
    return Snapshots(Path(path), config, dict(sorted(states.items())))
