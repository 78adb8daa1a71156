"""How many GPUs a job asks for, as its config file says."""

from pathlib import Path
from typing import Literal

from pydantic import ConfigDict, Field

from poseloop.runtime.config import Config, load_config


class DeviceConfig(Config):
    """The one field of a config file that is read here; the job checks the others."""

    model_config = ConfigDict(extra="ignore")

    device: Literal["auto", "cpu", "cuda"] = Field(
        default="cpu", description="device of the job; a file without it is of a job on the CPU"
    )


def device_of(path: str | Path) -> str:
    """`device` of a config file: auto, cpu or cuda.

    Raises
    ------
    UserError
        The file is missing or not YAML, or its device is another word.
    """
    return load_config(path, DeviceConfig).device


def gpus_of(path: str | Path) -> int:
    """GPUs that a job with this config file asks for: one unless its device is the CPU.

    Raises
    ------
    UserError
        As `device_of`.
    """
    return 0 if device_of(path) == "cpu" else 1
