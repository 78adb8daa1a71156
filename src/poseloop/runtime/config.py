"""Config files: plain YAML, checked by pydantic; a typo names the field and the file."""

from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from poseloop.runtime.errors import UserError
from poseloop.runtime.yaml_files import read_yaml


class Config(BaseModel):
    """Base of every config model: unknown keys are errors and values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


C = TypeVar("C", bound=Config)


def load_config(path: str | Path, model: type[C]) -> C:
    """Read one YAML file into `model`.

    Raises
    ------
    UserError
        The file is missing or not YAML, or a field is unknown, missing or of the wrong kind;
        the message names every such field and the file.
    """
    content = read_yaml(path, "config file")
    try:
        return model.model_validate({} if content is None else content)
    except ValidationError as fault:
        faults = "; ".join(
            f"{'.'.join(map(str, error['loc'])) or 'top level'}: {error['msg']}"
            for error in fault.errors()
        )
        raise UserError(f"{path}: {faults}") from fault
