"""Configuration of fine-tuning by preferences."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from poseloop.hmr.config import Positive, Weight
from poseloop.multiview.config import OptimizerConfig
from poseloop.runtime.config import Config

BINS = 4
"""Bins of timesteps in which logits and losses are logged."""


class VariantConfig(Config):
    """One way of fine-tuning the base."""

    objective: Literal["dpo", "kto", "gpa", "sft", "regression"] = Field(
        description="Diffusion-DPO on pairs, KTO on single hypotheses, the group loss of GPA, "
        "denoising of the winners, or regression onto them without noise."
    )
    sources: dict[str, Annotated[float, Field(gt=0)]] = Field(
        min_length=1, description="Preference sources and their shares of a batch."
    )
    error_space: Literal["sample", "epsilon", "velocity", "min_snr"] = Field(
        "sample",
        description="Space of the denoising error whose difference is the logit "
        "(`diffusion.error_weights`); `epsilon` is the released one.",
    )
    beta: float | None = Field(
        None,
        gt=0,
        description="Strength of the objective; null chooses it by `logit_spread`, for each source "
        "apart.",
    )
    logit_spread: float = Field(
        1.0,
        gt=0,
        description="Standard deviation that the logits would have if the policy's margins "
        "differed from the reference's as much as the reference's do from pair to pair.",
    )
    sft_weight: Weight = Field(0.0, description="Weight of the winners' denoising error beside it.")
    sft_sources: list[str] | None = Field(
        None,
        description="Sources whose winners count in that; null: all. The base's own samples are "
        "narrower than its error, and learning them narrows it further.",
    )
    safeguard: float | None = Field(
        None, ge=0, lt=1, description="mu of Diffusion-SDPO; null leaves the loser's gradient."
    )
    group: Annotated[int, Field(ge=2)] = Field(
        4, description="Hypotheses of a picture in a group of the objective `gpa`."
    )
    fresh: bool = Field(False, description="Start from new weights of the denoiser.")


class TuneConfig(Config):
    """adhmr.yaml: fine-tuning of the base; the budget is the same for all variants."""

    seeds: list[int] = Field(min_length=1, description="Each variant is trained once for each.")
    threads: Positive = Field(description="PyTorch threads; part of the result.")
    device: str = Field(default="cpu", description="`auto`, `cpu` or `cuda`.")
    tune_encoder: bool = Field(description="Whether the encoder is tuned with the denoiser.")
    steps: Positive = Field(description="Optimiser steps.")
    hypotheses: Positive = Field(
        description="Hypotheses that the policy denoises in a step: both sides of pairs count."
    )
    ema_decay: float = Field(
        gt=0, lt=1, description="Decay of the weight average, which is what is evaluated."
    )
    optimizer: OptimizerConfig = Field(description="Optimiser.")
    validate_every: Positive = Field(description="Steps between validations.")
    checkpoint_every: Positive = Field(description="Steps between checkpoints.")
    variants: dict[str, VariantConfig] = Field(description="Named ways of fine-tuning.")

    @model_validator(mode="after")
    def _budget_divides(self) -> "TuneConfig":
        for name, variant in self.variants.items():
            if self.hypotheses % 2 or self.hypotheses % variant.group:
                raise ValueError(f"hypotheses: not divisible by 2 and by the group of {name}")
        return self
