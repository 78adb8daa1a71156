"""Which model checks which config file: the one that accepts it, so no list can be forgotten."""

import importlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import yaml
from pydantic import ValidationError

import poseloop
from poseloop.runtime.config import Config
from poseloop.runtime.errors import UserError

_SOURCE = Path(poseloop.__file__).parent
# What every module that defines a model says.
_IMPORT = "from poseloop.runtime.config import Config"


def all_models() -> list[type[Config]]:
    """Every model of the library that refuses unknown fields."""
    for path in sorted(_SOURCE.rglob("*.py")):
        if _IMPORT in path.read_text():
            parts = path.relative_to(_SOURCE.parent).with_suffix("").parts
            importlib.import_module(".".join(parts))
    return [model for model in _subclasses(Config) if model.model_config.get("extra") == "forbid"]


def models_of(paths: Iterable[Path]) -> dict[str, type[Config]]:
    """File name to the model of the files that are called so, in their order.

    Where a model and an extension of it accept a file, it is the plainer one's.

    Raises
    ------
    UserError
        A file is accepted by no model, or by several; or two files of a name by different ones.
    """
    models, found = all_models(), {}
    for path in paths:
        content = yaml.safe_load(path.read_text())
        accept = [model for model in models if _accepts(model, content)]
        fits = [model for model in accept if not set(model.__mro__[1:]) & set(accept)]
        if len(fits) != 1 or found.setdefault(path.name, fits[0]) is not fits[0]:
            names = ", ".join(model.__name__ for model in fits) or "none"
            raise UserError(f"{path}: needs one model that accepts it; there are: {names}")
    return found


def _subclasses(model: type[Config]) -> Iterator[type[Config]]:
    for below in model.__subclasses__():
        yield below
        yield from _subclasses(below)


def _accepts(model: type[Config], content: object) -> bool:
    try:
        model.model_validate(content)
    except ValidationError:
        return False
    return True
