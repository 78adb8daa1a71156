"""Configuration of the measurement of hypotheses, of the scorer and of cleaning."""

from typing import Annotated

from pydantic import Field, field_validator, model_validator

from poseloop.hmr.config import Positive
from poseloop.hmr.image_config import Share
from poseloop.multiview.config import OptimizerConfig
from poseloop.runtime.config import Config


class MeasureConfig(Config):
    """hmr_evaluate.yaml."""

    seed: int = Field(description="Seed of the sampling noise; the seeds of a method add to it.")
    threads: Positive = Field(description="PyTorch threads; part of the result.")
    device: str = Field(default="cpu", description="`auto`, `cpu` or `cuda`.")
    counts: list[Positive] = Field(
        min_length=1, description="Min is over exactly so many hypotheses, zero noise the first."
    )
    ranked: Annotated[int, Field(ge=2)] = Field(
        description="Hypotheses for a picture in the scorer's measurement."
    )
    select: Positive = Field(
        description="`select` is the mean of so many best-scored; the released code has 5."
    )

    @field_validator("counts")
    @classmethod
    def _ascending(cls, counts: list[int]) -> list[int]:
        if counts != sorted(set(counts)):
            raise ValueError("must ascend")
        return counts


class CleaningConfig(Config):
    """hmr_cleaning.yaml: wrong labels, found by their score."""

    seeds: list[int] = Field(min_length=1, description="Seeds of faults, weights and batches.")
    threads: Positive = Field(description="PyTorch threads; part of the result.")
    device: str = Field(default="cpu", description="`auto`, `cpu` or `cuda`.")
    wrong: Share = Field(description="Share of labels that are made wrong.")
    noise: Annotated[float, Field(gt=0)] = Field(
        description="Rotation noise of a third of the wrong labels, radians; another third is "
        "mirrored, the last belongs to another picture."
    )
    hypotheses: Positive = Field(
        description="Of the base, for each picture, against whose scores a label's score counts."
    )
    keep: list[Annotated[float, Field(gt=0, lt=1)]] = Field(
        min_length=1, description="Shares of labels kept after cleaning."
    )
    steps: Positive = Field(description="Optimiser steps of a retrained regressor.")
    batch_size: Positive = Field(description="Pictures per step.")
    ema_decay: float = Field(gt=0, lt=1, description="Decay of the weight average.")
    optimizer: OptimizerConfig = Field(description="Optimiser.")

    @model_validator(mode="after")
    def _descending(self) -> "CleaningConfig":
        if self.keep != sorted(set(self.keep), reverse=True):
            raise ValueError("keep: must descend")
        return self
