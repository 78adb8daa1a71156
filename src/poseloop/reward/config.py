"""Configuration of PoseScore and of the fine-tuning by its gradient."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from poseloop.multiview.config import OptimizerConfig, TrainComputeConfig
from poseloop.runtime.config import Config

Positive = Annotated[int, Field(gt=0)]
Weight = Annotated[float, Field(ge=0)]


class SkeletonConfig(Config):
    """Skeleton maps: soft capsules, one channel a bone (fact sheet DrPose 1.2)."""

    size: Positive = Field(description="Side of a map in pixels; a multiple of the latent's side.")
    radius: float = Field(gt=0, description="Half thickness of a bone, in image widths.")
    softness: float = Field(gt=0, description="Width of a bone's soft edge, in image widths.")


class DistanceConfig(Config):
    """Weights of the terms of the distance between predicted and target maps."""

    bce: Weight = Field(default=0.0, description="Binary cross-entropy; the paper's first term.")
    dice: Weight = Field(default=0.0, description="One minus the soft Dice overlap of a bone.")
    l1: Weight = Field(default=0.0, description="Mean absolute difference.")
    multiscale_l1: Weight = Field(
        default=0.0,
        description="Mean absolute difference over a pyramid of averages; stands where the paper "
        "has LPIPS, whose backbone needs downloaded weights.",
    )
    multiscale_dice: Weight = Field(
        default=0.0,
        description="Dice over a pyramid of averages, which falls with the distance of a bone that "
        "does not overlap; it made no difference on validation.",
    )

    @model_validator(mode="after")
    def _some_term(self) -> "DistanceConfig":
        if not any(self.model_dump().values()):
            raise ValueError("at least one term needs a weight above 0")
        return self


class NoisyInputsConfig(Config):
    """How PoseScore's training latents are spoilt, so that estimates are judged fairly."""

    clean_share: float = Field(ge=0, le=1, description="Share of subjects left as they are.")
    estimate_share: float = Field(
        ge=0,
        le=1,
        description="Share replaced by the base's one-step estimates; the rest is noisy.",
    )
    estimate_max_timestep: Positive = Field(description="Largest timestep of an estimate.")
    noise_std: float = Field(ge=0, description="Largest std of noise on the noisy share.")


class PoseScoreConfig(Config):
    """PoseScore: a U-Net from the latents of a view to its skeleton maps."""

    seed: int = Field(description="Seed of weights, batches and noise.")
    threads: Positive = Field(
        description="CPU threads; each takes an equal shard of the batch. Part of the result."
    )
    device: str = Field(description="`auto`, `cpu` or `cuda`.")
    channels: list[Positive] = Field(description="Channels per resolution, finest first.")
    norm_groups: Positive = Field(description="Groups of the group norms.")
    azimuths: list[float] = Field(description="Azimuths of the views in degrees.")
    skeleton: SkeletonConfig = Field(description="Target maps.")
    readings: list[Annotated[list[Literal["normal", "colour"]], Field(min_length=1)]] = Field(
        min_length=1,
        description="Modalities that a reading of a view sees. Training draws a reading per "
        "subject, the reward is the mean over them: where one reads both, a pose that colour alone "
        "shows is enough for it, and the normals that the mesh is made of are left behind.",
    )
    distance: DistanceConfig = Field(description="Training loss.")
    inputs: NoisyInputsConfig = Field(description="Augmentation of the latents.")
    steps: Positive = Field(description="Optimiser steps.")
    batch_size: Positive = Field(description="Subjects per step.")
    ema_decay: float = Field(gt=0, lt=1, description="Decay of the weight average that is saved.")
    optimizer: OptimizerConfig = Field(description="Optimiser.")
    validate_every: Positive = Field(description="Steps between validations.")
    checkpoint_every: Positive = Field(description="Steps between checkpoints.")
    examples: Positive = Field(description="Held-out views kept for the figure.")

    @model_validator(mode="after")
    def _shards_fit(self) -> "PoseScoreConfig":
        if self.batch_size % self.threads:
            raise ValueError("batch_size must be a multiple of threads")
        return self


class DrTuneConfig(Config):
    """DRTune (fact sheet DrPose 1.3)."""

    ddim_steps: Positive = Field(description="T: steps of the sampler.")
    gradient_steps: Positive = Field(description="K: steps whose prediction carries gradient.")
    early_stop: Positive = Field(
        description="m: sampling stops at a step drawn from 1 .. m and jumps to the clean estimate."
    )
    inside_prefix: bool = Field(
        description="Choose the gradient steps among those that are executed. The paper's rule can "
        "choose steps after the stop, which then train nothing (fact sheet 1.4)."
    )
    normalise_steps: bool = Field(
        description="Give every gradient step the same weight instead of its coefficient in the "
        "sampler, which is 10 to 50 times smaller for the early steps that decide the pose."
    )

    @model_validator(mode="after")
    def _steps_fit(self) -> "DrTuneConfig":
        if self.early_stop + self.gradient_steps > self.ddim_steps + 1:
            raise ValueError("early_stop leaves fewer executed steps than gradient_steps")
        return self


class VariantConfig(Config):
    """One way of fine-tuning."""

    drtune: DrTuneConfig = Field(description="Sampling and gradient steps.")
    distance: DistanceConfig = Field(description="The reward is minus this distance.")
    kl_weight: Weight = Field(description="w_KL: weight of the distance to the base's predictions.")
    anchor_weight: Weight = Field(description="Weight of the ordinary diffusion loss on scans.")
    ordinary_share: float = Field(
        ge=0, le=1, description="Share of a batch drawn from the pose set's ordinary poses."
    )
    lora_rank: Positive | None = Field(
        description="Rank of LoRA adapters; null trains all weights."
    )
    steps: Positive = Field(description="Optimiser steps.")
    batch_size: Positive = Field(description="Subjects per backward pass.")
    accumulation: Positive = Field(description="Backward passes per optimiser step.")
    ema_decay: float = Field(gt=0, lt=1, description="Decay of the weight average that is saved.")
    optimizer: OptimizerConfig = Field(description="Optimiser.")


class DrPoseConfig(Config):
    """Fine-tuning of the multi-view base by PoseScore."""

    threads: Positive = Field(description="PyTorch threads; part of the result, see runtime.seeds.")
    device: str = Field(description="`auto`, `cpu` or `cuda`.")
    compute: TrainComputeConfig = Field(
        default=TrainComputeConfig(), description="How fine-tuning is computed."
    )
    validate_every: Positive = Field(description="Steps between validations.")
    validation_ddim_steps: Positive = Field(description="Steps of the sampler in validation.")
    checkpoint_every: Positive = Field(description="Steps between checkpoints.")
    variants: dict[str, VariantConfig] = Field(description="Named ways of fine-tuning.")

    @model_validator(mode="after")
    def _gpus_share_the_parts(self) -> "DrPoseConfig":
        for name, variant in self.variants.items():
            if variant.accumulation % self.compute.gpus:
                raise ValueError(f"variants.{name}.accumulation must be a multiple of compute.gpus")
        return self
