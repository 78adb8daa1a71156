"""Configuration of the family of fine-tuning methods on equal budgets."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from poseloop.multiview.config import OptimizerConfig
from poseloop.reward.config import DistanceConfig, DrTuneConfig
from poseloop.runtime.config import Config

Positive = Annotated[int, Field(gt=0)]
Weight = Annotated[float, Field(ge=0)]


class ReflConfig(Config):
    """ReFL."""

    kind: Literal["refl"]
    earliest: float = Field(
        ge=0, lt=1, description="Start of the window of late steps, as a share of the sampler."
    )
    margin: float = Field(description="Rewards above this are no longer raised.")
    weight: float = Field(gt=0, description="Weight of the loss.")


class DraftConfig(Config):
    """DRaFT-K and DRaFT-LV."""

    kind: Literal["draft"]
    last_steps: Positive = Field(description="K: last steps of the sampler that carry gradient.")
    renoised: Annotated[int, Field(ge=0)] = Field(
        description="n of DRaFT-LV: copies noised again and denoised once; 0 is DRaFT-K."
    )

    @model_validator(mode="after")
    def _low_variance_is_of_one_step(self) -> "DraftConfig":
        if self.renoised and self.last_steps != 1:
            raise ValueError("renoised needs last_steps: 1")
        return self


class AlignPropConfig(Config):
    """AlignProp."""

    kind: Literal["alignprop"]
    cut: Literal["uniform", "normal"] = Field(description="How the cut is drawn.")
    mean: float = Field(ge=0, le=1, description="Mean of a normal cut, as a share of the sampler.")
    deviation: Weight = Field(description="Its standard deviation, as a share of the sampler.")


class DrTuneMethod(Config):
    """DRTune."""

    kind: Literal["drtune"]
    drtune: DrTuneConfig = Field(description="Sampling and gradient steps.")
    kl_weight: Weight = Field(description="w_KL: weight of the distance to the base's predictions.")


class DpoConfig(Config):
    """Diffusion DPO."""

    kind: Literal["dpo"]
    beta: float = Field(gt=0, description="Inverse temperature, for errors that are means.")


class SupervisedConfig(Config):
    """Supervised fine-tuning."""

    kind: Literal["supervised"]
    data: Literal["scans", "oracle"] = Field(
        description="`scans`, or the pose set with its rendered views, which nobody has in use."
    )


MethodConfig = Annotated[
    ReflConfig | DraftConfig | AlignPropConfig | DrTuneMethod | DpoConfig | SupervisedConfig,
    Field(discriminator="kind"),
]


class ArmConfig(Config):
    """One member of the family."""

    label: str = Field(description="Name in tables.")
    method: MethodConfig = Field(description="How it learns.")
    anchor_weight: Weight = Field(
        description="Weight of the diffusion loss on scans, beside the method's own loss."
    )
    learning_rate: float = Field(gt=0, description="Peak learning rate, chosen on validation.")


class FamilyConfig(Config):
    """family.yaml: all arms see the same number of samples."""

    threads: Positive = Field(description="PyTorch threads; part of the result.")
    device: str = Field(description="`auto`, `cpu` or `cuda`.")
    ddim_steps: Positive = Field(description="T: steps of the sampler.")
    distance: DistanceConfig = Field(description="The reward is minus this distance.")
    ordinary_share: float = Field(
        ge=0, le=1, description="Share of a batch drawn from the pose set's ordinary poses."
    )
    steps: Positive = Field(description="Optimiser steps.")
    batch_size: Positive = Field(description="Subjects per step.")
    ema_decay: float = Field(gt=0, lt=1, description="Decay of the weight average that is saved.")
    optimizer: OptimizerConfig = Field(description="Optimiser, but for the learning rate.")
    validate_every: Positive = Field(description="Steps between validations.")
    validation_ddim_steps: Positive = Field(description="Steps of the sampler in validation.")
    checkpoint_every: Positive = Field(description="Steps between checkpoints.")
    arms: dict[str, ArmConfig] = Field(description="Members by name.", min_length=1)
    table: list[str] = Field(description="Metrics of the table.", min_length=1)
