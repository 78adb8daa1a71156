"""Configuration of the diffusion HMR base."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import Field, ValidationError, model_validator

from poseloop.multiview.config import OptimizerConfig
from poseloop.runtime.config import Config
from poseloop.runtime.errors import UserError

Positive = Annotated[int, Field(gt=0)]
Weight = Annotated[float, Field(ge=0)]


class EncoderConfig(Config):
    """Image encoder: a compact CNN trained here, or a timm backbone."""

    kind: Literal["cnn", "timm"] = Field(description="`cnn` needs no weights.")
    channels: tuple[Positive, Positive, Positive] = Field(
        description="Channels of the CNN at a half, a quarter and an eighth of the picture."
    )
    norm_groups: Positive = Field(description="Groups of the group norms.")
    token_pool: Positive = Field(
        1,
        description="A picture token is the mean of a square of so many by so many of the eighth's "
        "places; joint tokens look at all of them in every layer.",
    )
    backbone: str | None = Field(None, description="Name of a timm model, for the kind `timm`.")
    path: str | None = Field(None, description="Its weights, a safetensors file of yours.")

    @model_validator(mode="after")
    def _complete(self) -> "EncoderConfig":
        if self.kind == "timm" and (self.backbone is None or self.path is None):
            raise ValueError("the kind `timm` needs backbone and path")
        return self


class TransformerConfig(Config):
    """Joint tokens that see their neighbours and the picture (fact sheet ADHMR 1.2, 2.3)."""

    width: Positive = Field(description="Channels of a token.")
    heads: Positive = Field(description="Attention heads.")
    hops: list[Annotated[int, Field(ge=0)]] = Field(
        min_length=1,
        description="One layer per entry: joints attend to joints at most so many bones away.",
    )


class DiffusionConfig(Config):
    """Noise schedule and sampler (fact sheet ADHMR 2.4)."""

    train_timesteps: Positive = Field(description="Number of diffusion timesteps.")
    beta_start: float = Field(gt=0, lt=1, description="First beta of the linear schedule.")
    beta_end: float = Field(gt=0, lt=1, description="Last beta of the linear schedule.")
    least_timestep: Annotated[int, Field(ge=0)] = Field(
        0,
        description="Noise of training is drawn at this timestep or above; the sampler's few steps "
        "never visit those much below its last.",
    )
    ddim_steps: Positive = Field(description="Network calls for a sample.")

    @model_validator(mode="after")
    def _in_range(self) -> "DiffusionConfig":
        if self.least_timestep >= self.train_timesteps:
            raise ValueError("least_timestep must be below train_timesteps")
        return self


class LossConfig(Config):
    """Weights of the terms of a denoised body's error."""

    joints: Weight = Field(description="Squared distance of joints, square metres.")


class DetectionConfig(Config):
    """Training of the encoder on 2D joints (`detection`)."""

    steps: Positive = Field(description="Optimiser steps.")
    batch_size: Positive = Field(description="Pictures per step.")
    ema_decay: float = Field(gt=0, lt=1, description="Decay of the weight average that is saved.")
    optimizer: OptimizerConfig = Field(description="Optimiser.")
    validate_every: Positive = Field(description="Steps between validations.")


class BaseConfig(Config):
    """hmr.yaml: the diffusion HMR base."""

    seed: int = Field(description="Seed of weights, batches and noise.")
    threads: Positive = Field(description="PyTorch threads; part of the result.")
    device: str = Field(default="cpu", exclude=True, description="`auto`, `cpu` or `cuda`.")
    parameters: Literal["rotations", "joints_twists"] = Field(
        description="What is denoised: SMPL rotations in 6-D, or joints and twists with analytic "
        "inverse kinematics."
    )
    vertices: Positive = Field(description="Vertices over which surface errors are taken.")
    encoder: EncoderConfig = Field(description="Picture to features.")
    transformer: TransformerConfig = Field(description="The denoiser.")
    diffusion: DiffusionConfig = Field(description="Noise and sampling.")
    loss: LossConfig = Field(description="Training loss.")
    detection: DetectionConfig = Field(description="The encoder's training.")
    steps: Positive = Field(description="Optimiser steps.")
    batch_size: Positive = Field(description="Pictures per step.")
    draws: Positive = Field(description="Timesteps and noises drawn for each picture of a batch.")
    ema_decay: float = Field(gt=0, lt=1, description="Decay of the weight average that is saved.")
    optimizer: OptimizerConfig = Field(description="Optimiser.")
    validate_every: Positive = Field(description="Steps between validations.")
    checkpoint_every: Positive = Field(description="Steps between checkpoints.")


C = TypeVar("C", bound=Config)


def saved_config(path: str | Path, metadata: Mapping[str, object], name: str, kind: type[C]) -> C:
    """The configuration that a file of weights keeps under `name`.

    Raises
    ------
    UserError
        There is none, or it is one of another version.
    """
    if name not in metadata:
        raise UserError(f"{path}: not the weights of this kind of model (no {name!r} in it)")
    try:
        return kind.model_validate(metadata[name])
    except ValidationError as fault:
        first = fault.errors()[0]
        where = ".".join(map(str, (name, *first["loc"])))
        raise UserError(f"{path}: weights of another version: {where}: {first['msg']}") from fault
