"""Building a module by the settings that a file of weights keeps, whatever they ask for."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch.nn.modules.module import register_module_parameter_registration_hook

from poseloop.runtime.refusing import refusing

# A module may build parts that it does not keep, and a file may hold part of a module.
_TIMES, _MORE_NUMBERS, _MORE_NAMES = 8, 1_000_000, 10_000


@contextmanager
def rebuilding(path: str | Path, state: dict[str, torch.Tensor]) -> Iterator[None]:
    """Build a module in the block by the settings of a file whose tensors are `state`.

    Settings can ask for a module of any size; one that outgrows the tensors at hand is not built.

    Raises
    ------
    UserError
        The settings make no module, or a far larger one than the file's; `path` is named.
    """
    room = [_MORE_NUMBERS + _TIMES * sum(tensor.numel() for tensor in state.values())]
    places = [_MORE_NAMES + _TIMES * len(state)]

    def count(module: torch.nn.Module, name: str, parameter: torch.nn.Parameter | None) -> None:
        room[0] -= 0 if parameter is None else parameter.numel()
        places[0] -= 1
        if min(room[0], places[0]) < 0:
            raise ValueError("they are of a larger model than its weights")

    hook = register_module_parameter_registration_hook(count)
    try:
        with refusing(path, "its settings do not make a model"):
            yield
    finally:
        hook.remove()
