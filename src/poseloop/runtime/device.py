"""Which device a job runs on."""

import torch

from poseloop.runtime.errors import UserError


def choose_device(name: str) -> torch.device:
    """`auto` takes a CUDA device where there is one.

    Raises
    ------
    UserError
        `name` is none of auto, cpu and cuda, or asks for a CUDA device that is not there.
    """
    if name not in ("auto", "cpu", "cuda"):
        raise UserError(f"device: {name!r} is none of auto, cpu, cuda")
    if name == "cuda" and not torch.cuda.is_available():
        raise UserError("device: cuda is asked for and there is none; set it to auto or cpu")
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    # With its number: threads of a process that was given another GPU than the first forget which.
    return torch.device(name, torch.cuda.current_device() if name == "cuda" else None)
