"""Settings of the estimators of pose and of their training."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from poseloop.multiview.config import OptimizerConfig
from poseloop.runtime.config import Config

Positive = Annotated[int, Field(gt=0)]


class BackboneConfig(Config):
    """The convolutional network that both estimators see by."""

    channels: tuple[Positive, Positive, Positive, Positive] = Field(
        description="Channels at 1/2, 1/4, 1/8 and 1/16 of the picture's side."
    )
    features: Positive = Field(description="Width of the picture's feature vector.")


class LossWeights(Config):
    """Weights of the training losses; a weight of zero leaves a term out."""

    joints: float = Field(ge=0, description="Mean distance of root-relative joints, metres.")
    joints2d: float = Field(ge=0, description="L1 of joints in the picture, picture widths.")
    rotations: float = Field(ge=0, description="Mean squared error of rotation matrices.")
    betas: float = Field(ge=0, description="Mean squared error of shapes.")
    twist: float = Field(0.0, ge=0, description="Mean squared error of (cos, sin) of the twists.")
    coordinates: float = Field(
        0.0, ge=0, description="Mean distance of the joints before inverse kinematics, metres."
    )
    heat: float = Field(0.0, ge=0, description="Cross-entropy of the heat maps.")


class EstimatorConfig(Config):
    """One estimator."""

    kind: Literal["regression", "kinematic"] = Field(
        description="`regression`: iterative regression of rotations, as SPIN; `kinematic`: joints "
        "from heat maps, then analytic inverse kinematics, as HybrIK."
    )
    label: str = Field(description="Name in tables and figures.")
    images: str = Field(description="Picture set (posegen_images.yaml) that it is trained on.")
    backbone: BackboneConfig = Field(description="Convolutional network.")
    hidden: Positive = Field(description="Width of the regressor's or the heads' hidden layer.")
    iterations: Positive = Field(3, description="Steps of the iterative regression.")
    loss: LossWeights = Field(description="Losses.")
    steps: Positive = Field(description="Optimiser steps.")
    batch_size: Positive = Field(description="Pictures per step.")
    optimizer: OptimizerConfig = Field(description="Optimiser.")


class EstimatorsConfig(Config):
    """posegen_estimators.yaml."""

    seed: int = Field(description="Seed of weights and batches.")
    threads: Positive = Field(description="PyTorch threads; part of the result.")
    device: str = Field(default="cpu", description="`auto`, `cpu` or `cuda`.")
    ema_decay: float = Field(gt=0, lt=1, description="Decay of the weight average that is saved.")
    colour_jitter: float = Field(ge=0, lt=1, description="Range of the channels' random factor.")
    validate_every: Positive = Field(description="Steps between validations.")
    checkpoint_every: Positive = Field(description="Steps between checkpoints.")
    estimators: dict[str, EstimatorConfig] = Field(description="Estimators by name.")
    check: str = Field(description="Estimator that checks labels and is never fine-tuned.")

    @model_validator(mode="after")
    def _has_check(self) -> "EstimatorsConfig":
        if self.check not in self.estimators:
            raise ValueError(f"check: no estimator {self.check!r}")
        return self

    @property
    def tuned(self) -> list[str]:
        """Estimators that the loop fine-tunes."""
        return [name for name in self.estimators if name != self.check]
