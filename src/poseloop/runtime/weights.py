"""Weights as safetensors, with the configuration that rebuilds the module beside them."""

import json
import pickle
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file

from poseloop.runtime.errors import UserError
from poseloop.runtime.files import atomic_path, require_file
from poseloop.runtime.refusing import refusing


def write_weights(path: str | Path, state: dict[str, torch.Tensor], metadata: dict) -> None:
    """Write tensors and JSON `metadata` as one safetensors file, atomically."""
    tensors = {name: state[name].detach().cpu().contiguous() for name in sorted(state)}
    with atomic_path(path) as temporary:
        save_file(tensors, temporary, {"config": json.dumps(metadata, sort_keys=True)})


def read_weights(path: str | Path) -> tuple[dict[str, torch.Tensor], dict]:
    """Read what `write_weights` wrote.

    Raises
    ------
    UserError
        The file is missing, is no safetensors file, or carries no configuration.
    """
    path = require_file(path, "weights file")
    with (
        refusing(path, "not a weights file of this project"),
        # Mapped into memory, the file would leave some bytes of each tensor behind for good.
        safe_open(path, "pt", backend="pread") as archive,
    ):
        metadata = dict(json.loads((archive.metadata() or {})["config"]))
        names = archive.keys()
        return {name: archive.get_tensor(name) for name in names}, metadata


def read_torch(path: str | Path, what: str) -> object:
    """Tensors in plain containers that another project wrote with `torch.save`, on the CPU.

    Parameters
    ----------
    what : what the file is if it can't be read, such as "not AlexNet's weights"

    Raises
    ------
    UserError
        The file is truncated, of another format, or holds more than tensors.
    """
    with refusing(path, what):
        try:
            return torch.load(path, map_location="cpu", weights_only=True)
        except pickle.UnpicklingError as fault:
            # PyTorch's own text says how to run what is in the file all the same.
            raise ValueError("damaged, or with more in it than tensors") from fault


def load_into(module: torch.nn.Module, state: dict[str, torch.Tensor], path: str | Path) -> None:
    """Load `state` into `module`, strictly.

    Raises
    ------
    UserError
        A tensor is missing, unexpected or of another shape; `path` is named.
    """
    try:
        module.load_state_dict(state)
    except RuntimeError as fault:
        raise UserError(f"{path}: weights do not fit the configured model ({fault})") from fault
