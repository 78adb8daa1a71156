"""How many GPUs a job asks for, as its config file says."""

from pathlib import Path
from typing import Literal

from pydantic import ConfigDict, Field

from poseloop.runtime.config import Config, load_config


class _Part(Config):
    """Of a config file: fields that are not read here are the job's to check."""

    model_config = ConfigDict(extra="ignore")


class ShareConfig(_Part):
    """The field of `compute` that is read here."""

    gpus: int = Field(default=1, gt=0, description="GPUs that train together")


class DeviceConfig(_Part):
    """The fields of a config file that are read here."""

    compute: ShareConfig = Field(default=ShareConfig(), description="how the job computes")
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
    """GPUs that a job with this config file asks for: `compute.gpus`, none on the CPU.

    Raises
    ------
    UserError
        As `device_of`.
    """
    config = load_config(path, DeviceConfig)
    return 0 if config.device == "cpu" else config.compute.gpus
