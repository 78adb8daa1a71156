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


class MapReward(Config):
    """PoseScore: minus a distance of skeleton maps."""

    kind: Literal["maps"]
    distance: DistanceConfig = Field(description="Terms of the distance.")
    perceptual: Weight = Field(
        default=0.0, description="Weight of the distance in features of fixed random filters."
    )
    readings: list[Annotated[list[Literal["normal", "colour"]], Field(min_length=1)]] = Field(
        min_length=1,
        description="What PoseScore reads of a view; the reward is the mean over readings. Each "
        "must be among those that it was trained with.",
    )


class JointReward(Config):
    """Minus the distance of image joints that a network finds in the latents."""

    kind: Literal["joints"]


RewardConfig = Annotated[MapReward | JointReward, Field(discriminator="kind")]


class PosesConfig(Config):
    """Poses whose pictures the reward is asked about."""

    source: Literal["farthest", "random"] = Field(
        description="Pose set by farthest-point selection, or by chance from the same clips."
    )
    share: float = Field(
        gt=0, le=1, description="Share that is used, of dynamic and of ordinary poses; first ones."
    )
    ordinary_share: float = Field(
        ge=0,
        le=1,
        description="Share of a batch drawn from the set's ordinary poses; all of the random set "
        "count as ordinary.",
    )


class ArmConfig(Config):
    """One member of the family, or one cell of the ablations."""

    label: str = Field(description="Name in tables.")
    method: MethodConfig = Field(description="How it learns.")
    anchor_weight: Weight = Field(
        description="Weight of the diffusion loss on scans, beside the method's own loss."
    )
    learning_rate: float = Field(gt=0, description="Peak learning rate.")
    reward: RewardConfig | None = Field(default=None, description="In place of the common reward.")
    poses: PosesConfig | None = Field(default=None, description="In place of the common poses.")


class FamilyConfig(Config):
    """family.yaml and ablations.yaml: all arms see the same number of samples."""

    threads: Positive = Field(description="PyTorch threads; part of the result.")
    device: str = Field(description="`auto`, `cpu` or `cuda`.")
    ddim_steps: Positive = Field(description="T: steps of the sampler.")
    seeds: list[int] = Field(
        description="Seeds of training and of sampling, among those of study.yaml.", min_length=1
    )
    reward: RewardConfig = Field(description="Reward of all arms that do not name their own.")
    poses: PosesConfig = Field(description="Poses of all arms that do not name their own.")
    steps: Positive = Field(description="Optimiser steps.")
    batch_size: Positive = Field(description="Subjects per step.")
    ema_decay: float = Field(gt=0, lt=1, description="Decay of the weight average that is saved.")
    optimizer: OptimizerConfig = Field(description="Optimiser, but for the learning rate.")
    validate_every: Positive = Field(description="Steps between validations.")
    validation_ddim_steps: Positive = Field(description="Steps of the sampler in validation.")
    checkpoint_every: Positive = Field(description="Steps between checkpoints.")
    arms: dict[str, ArmConfig] = Field(description="Members by name.", min_length=1)
    reference: str | None = Field(
        description="Arm that the others are compared with; null is the base."
    )
    table: list[str] = Field(description="Metrics of the table.", min_length=1)

    @model_validator(mode="after")
    def _reference_is_an_arm(self) -> "FamilyConfig":
        if self.reference is not None and self.reference not in self.arms:
            raise ValueError(f"reference: no arm called {self.reference!r}")
        return self

    def reward_of(self, arm: str) -> MapReward | JointReward:
        """The reward that an arm is tuned by."""
        return self.arms[arm].reward or self.reward

    def poses_of(self, arm: str) -> PosesConfig:
        """The poses that an arm is asked about."""
        return self.arms[arm].poses or self.poses
