"""Read a released checkpoint, with every fault named by file and parameter."""

import json
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import load_file

from poseloop.runtime.errors import UserError
from poseloop.runtime.files import read_json
from poseloop.runtime.refusing import refusing
from poseloop.runtime.weights import read_torch

Shapes = Mapping[str, tuple[int, ...]]


def weights_files(folder: str | Path) -> list[Path]:
    """The files that hold the U-Net's weights: every safetensors file, else every `.bin`.

    Parameters
    ----------
    folder : the pipeline's folder, which holds `unet`, or `unet` itself

    Raises
    ------
    UserError
        There is no such folder, it holds neither, or a link in it leads out of it.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise UserError(f"{folder}: folder of the weights not found")
    unet = folder / "unet" if (folder / "unet").is_dir() else folder
    for pattern in ("*.safetensors", "*.bin"):
        files = sorted(unet.glob(pattern))
        if not files:
            continue
        for file in files:
            if not file.resolve().is_relative_to(unet.resolve()):
                raise UserError(f"{file}: leads out of the folder of the weights")
        return files
    raise UserError(f"{unet}: holds no *.safetensors and no *.bin")


def check_declared(folder: str | Path, declared: Mapping[str, object]) -> None:
    """Compare the `config.json` beside the weights, if there is one, with what the config says.

    PSHuman's and Era3D's weights have the same names and shapes; only this file tells them apart.

    Raises
    ------
    UserError
        A field of `declared` is there with another value; the file and the field are named.
    """
    path = weights_files(folder)[0].parent / "config.json"
    if not path.is_file():
        return
    said = read_json(path)
    if not isinstance(said, dict):
        raise UserError(f"{path}: not a JSON object")
    for field, value in declared.items():
        if field in said and said[field] != value:
            raise UserError(
                f"{path}: {field} is {json.dumps(said[field])}, not {json.dumps(value)}: "
                "these are the weights of another model"
            )


def read_released(
    folder: str | Path, expected: Shapes, dtype: torch.dtype
) -> dict[str, torch.Tensor]:
    """The tensors of a checkpoint by their released names, on the CPU, in `dtype`.

    Parameters
    ----------
    expected : shape of every parameter, by its released name

    Raises
    ------
    UserError
        A file is truncated or of another format, holds a parameter of another shape, one that is
        not expected or one that another file holds too, or a parameter is in no file.
    """
    state: dict[str, torch.Tensor] = {}
    source: dict[str, Path] = {}
    files = weights_files(folder)
    for file in files:
        tensors = (_read_safetensors if file.suffix == ".safetensors" else _read_bin)(file)
        unknown = sorted(set(tensors) - set(expected))
        if unknown:
            raise UserError(f"{file}: {_some(unknown)} not of the configured model")
        for name in sorted(tensors):
            if name in source:
                raise UserError(f"{file}: parameter {name} is in {source[name].name} too; keep one")
            tensor = tensors[name]
            if tuple(tensor.shape) != expected[name]:
                raise UserError(
                    f"{file}: parameter {name} has shape {tuple(tensor.shape)}, "
                    f"not {expected[name]}"
                )
            source[name] = file
            state[name] = tensor.to(dtype)
    missing = sorted(set(expected) - set(state))
    if missing:
        place = files[0] if len(files) == 1 else files[0].parent
        raise UserError(f"{place}: {_some(missing)} missing; is the download complete?")
    return state


def _some(names: list[str]) -> str:
    more = f" and {len(names) - 1} more are" if len(names) > 1 else " is"
    return f"parameter {names[0]}{more}"


def _read_safetensors(path: Path) -> dict[str, torch.Tensor]:
    with refusing(path, "truncated or not a safetensors file"):
        # Mapped into memory, the file would leave some bytes of each tensor behind for good.
        return load_file(path, backend="pread")


def _read_bin(path: Path) -> dict[str, torch.Tensor]:
    state = read_torch(path, "truncated or not a file of tensors alone")
    if not isinstance(state, dict):
        raise UserError(f"{path}: holds a {type(state).__name__}, not parameters by name")
    for name, value in state.items():
        if not isinstance(name, str) or not isinstance(value, torch.Tensor):
            raise UserError(f"{path}: entry {name} is no parameter with a name")
    return state
