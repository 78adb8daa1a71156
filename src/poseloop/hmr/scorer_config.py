"""Configuration of HMR-Scorer and of what it is trained on."""

from typing import Annotated

from pydantic import Field, model_validator

from poseloop.hmr.config import Positive, Weight
from poseloop.multiview.config import OptimizerConfig
from poseloop.runtime.config import Config

ERRORS = ("pve", "pa_pve", "mpjpe", "pa_mpjpe")
"""Errors by which candidates are ranked (fact sheet ADHMR 1.4), millimetres."""


class CandidatesConfig(Config):
    """Bodies of known error for each picture of the scorer's set."""

    samples: Annotated[int, Field(ge=0)] = Field(
        description="Hypotheses of the base itself: what the scorer will have to tell apart."
    )
    noise_levels: list[Annotated[float, Field(gt=0)]] = Field(
        description="One noisy copy of the truth for each: noise of the joints' rotations, radians."
    )
    orient_share: Weight = Field(description="Noise of the whole body's turn, share of that.")
    betas_noise: Weight = Field(description="Noise of betas for each radian of a level.")


class RankingConfig(Config):
    """RankNet."""

    slope: float = Field(gt=0, description="P(i better than j) = sigmoid(slope (s_i - s_j)).")
    errors: dict[str, Weight] = Field(description=f"Weight of each error: {', '.join(ERRORS)}.")
    soft_mm: Weight = Field(
        description="Difference in error, millimetres, at which the target is 0.73; 0 is a hard "
        "order as in the released code, which asks for an order among equals."
    )
    across_kinds: bool = Field(
        description="Whether noisy copies of the truth are ranked against the base's samples too, "
        "as in the released code."
    )
    answer_weight: Weight = Field(description="Weight of the error of the scorer's own answer.")

    @model_validator(mode="after")
    def _known(self) -> "RankingConfig":
        unknown = sorted(set(self.errors) - set(ERRORS))
        if unknown or not any(self.errors.values()):
            raise ValueError(f"errors: unknown ({', '.join(unknown)}), or no weight above 0")
        return self


class ScorerConfig(Config):
    """hmr_scorer.yaml."""

    seed: int = Field(description="Seed of weights, batches and candidates.")
    threads: Positive = Field(description="PyTorch threads; part of the result.")
    device: str = Field(default="cpu", exclude=True, description="`auto`, `cpu` or `cuda`.")
    candidates: CandidatesConfig = Field(description="What is ranked.")
    hops: list[Annotated[int, Field(ge=0)]] = Field(
        min_length=1, description="Layers over a hypothesis, as `transformer.hops`."
    )
    width: Positive = Field(description="Channels of a token.")
    heads: Positive = Field(description="Attention heads.")
    ranking: RankingConfig = Field(description="Loss.")
    steps: Positive = Field(description="Optimiser steps.")
    batch_size: Positive = Field(description="Pictures per step.")
    ema_decay: float = Field(gt=0, lt=1, description="Decay of the weight average that is saved.")
    optimizer: OptimizerConfig = Field(description="Optimiser.")
    validate_every: Positive = Field(description="Steps between validations.")
    validation_samples: Positive = Field(description="Hypotheses ranked for a validation picture.")
    checkpoint_every: Positive = Field(description="Steps between checkpoints.")

    @model_validator(mode="after")
    def _comparable(self) -> "ScorerConfig":
        kinds = [self.candidates.samples, len(self.candidates.noise_levels)]
        if (sum(kinds) if self.ranking.across_kinds else max(kinds)) < 2:
            raise ValueError("candidates: ranking needs two that are compared")
        return self
