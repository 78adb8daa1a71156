"""Weights along a training run, for curves over it."""

from pathlib import Path

import torch
from torch import nn

from poseloop.runtime.weights import read_weights, write_weights


class Snapshots:
    """Keeps weights beside a run's checkpoints, so that a resumed run has those from before.

    Parameters
    ----------
    folder : of the checkpoints

    Attributes
    ----------
    step : int
        Optimiser steps done so far; the run sets it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "snapshots"
        self.step = 0

    def keep(self, module: nn.Module) -> None:
        """Keep the weights under the present step."""
        write_weights(self.folder / f"{self.step}.safetensors", module.state_dict(), {})

    def gather(self) -> dict[str, torch.Tensor]:
        """All that was kept: "<step>/<parameter>" to its value."""
        return {
            f"{path.stem}/{name}": value
            for path in sorted(self.folder.iterdir(), key=lambda path: int(path.stem))
            for name, value in read_weights(path)[0].items()
        }
