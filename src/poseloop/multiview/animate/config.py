"""Configuration of the image-animation model."""

from pydantic import Field, model_validator

from poseloop.multiview.config import OptimizerConfig, Positive, ScheduleConfig
from poseloop.runtime.config import Config


class AnimatorConfig(Config):
    """Shape of the network."""

    latent_channels: Positive = Field(description="Channels of one latent.")
    patch: Positive = Field(description="Side of the latent patch that is one token.")
    channels: list[Positive] = Field(
        min_length=1, description="Channels per resolution, finest first; each further one halves."
    )
    blocks: list[Positive] = Field(description="Blocks per resolution.")
    heads: Positive = Field(description="Attention heads, in space and in time.")
    norm_groups: Positive = Field(description="Groups of the group norms.")
    guider_channels: list[Positive] = Field(
        min_length=1,
        description="Channels of the pose guider, one entry for each halving from the pictures to "
        "the finest tokens.",
    )
    guider_groups: Positive = Field(description="Groups of the guider's group norms.")
    motion_frames: Positive = Field(
        description="Length of the motion modules' table of positions; the longest sequence."
    )
    gradient_checkpointing: bool = Field(
        description="Whether activations of the blocks are computed again in the backward pass."
    )

    @model_validator(mode="after")
    def _fits(self) -> "AnimatorConfig":
        if len(self.blocks) != len(self.channels):
            raise ValueError("blocks and channels must have as many entries")
        if any(width % self.norm_groups or width % (2 * self.heads) for width in self.channels):
            raise ValueError("channels must be multiples of norm_groups and of twice the heads")
        if any(width % self.guider_groups for width in self.guider_channels):
            raise ValueError("guider_channels must be multiples of guider_groups")
        return self


class AnimateTrainConfig(Config):
    """Training on rendered sequences."""

    steps: Positive = Field(description="Optimiser steps.")
    batch_size: Positive = Field(description="Sequences per step.")
    min_snr_gamma: float = Field(gt=0, description="Gamma of min-SNR loss weights.")
    reference_dropout: float = Field(
        ge=0, lt=1, description="Share of sequences without their reference picture, for guidance."
    )
    ema_decay: float = Field(gt=0, lt=1, description="Decay of the weight average that is saved.")
    optimizer: OptimizerConfig = Field(description="Optimiser.")
    validate_every: Positive = Field(description="Steps between validations.")
    checkpoint_every: Positive = Field(description="Steps between checkpoints.")


class AnimateSampleConfig(Config):
    """Drawing frames."""

    steps: Positive = Field(description="DDIM steps.")
    eta: float = Field(ge=0, le=1, description="Share of DDPM noise in a DDIM step; 0 is none.")
    guidance: float = Field(
        ge=1, description="Classifier-free guidance on the reference picture; 1 is off."
    )
    batch_size: Positive = Field(description="Sequences per batch; no effect on their noise.")


class FilterConfig(Config):
    """Which frames are good enough to stand for the pose that was asked for."""

    quantile: float = Field(
        gt=0,
        lt=1,
        description="A frame is rejected whose joints lie further off than this quantile of true "
        "renders' of held-out sequences.",
    )
    batch_size: Positive = Field(description="Pictures checked at once.")
    colour_contrast: float = Field(
        gt=0,
        le=1,
        description="Distance from white at which a colour is surely body; black has 1.",
    )


class AnimateFigureConfig(Config):
    """Figure of sequences."""

    sequences: Positive = Field(description="Sequences of each set to show, its first.")
    frames: Positive = Field(description="Frames of each, evenly spaced.")


class AnimateConfig(Config):
    """The image-animation model: animate.yaml."""

    seed: int = Field(description="Seed of weights, batches and noise.")
    threads: Positive = Field(
        description="CPU threads; in training each takes an equal shard of the batch. Part of the "
        "result."
    )
    device: str = Field(description="`auto`, `cpu` or `cuda`.")
    network: AnimatorConfig = Field(description="Network.")
    schedule: ScheduleConfig = Field(description="Noise schedule.")
    shared_noise: float = Field(
        ge=0,
        lt=1,
        description="Share of the noise's variance that the frames of a sequence have in common.",
    )
    train: AnimateTrainConfig = Field(description="Training.")
    sample: AnimateSampleConfig = Field(description="Drawing frames.")
    filter: FilterConfig = Field(description="Keypoint check of drawn frames.")
    figure: AnimateFigureConfig = Field(description="Figure.")

    @model_validator(mode="after")
    def _shards_fit(self) -> "AnimateConfig":
        if self.train.batch_size % self.threads:
            raise ValueError("train.batch_size must be a multiple of threads")
        return self
