"""Settings of meshes from views, metrics and the pose judge."""

from pydantic import Field, model_validator

from poseloop.runtime.config import Config


class Hull(Config):
    """Visual hull of the six masks."""

    resolution: int = Field(ge=8, le=512, description="voxels along each side of the unit cube")
    level: float = Field(gt=0, lt=1, description="occupancy of the surface")
    softness: float = Field(
        ge=0,
        le=1,
        description="temperature of the soft minimum over directions; 0 is the exact minimum",
    )


class Geometry(Config):
    """Distances between surfaces."""

    samples: int = Field(ge=10, description="points sampled on each surface")
    f_score_cm: float = Field(gt=0, description="distance threshold of the F-score, centimetres")
    icp_iterations: int = Field(ge=1, description="fixed number of rigid ICP iterations")


class Images(Config):
    """Comparison of pictures."""

    mask_level: float = Field(gt=0, lt=1, description="mask value from which a pixel is body")
    colour_contrast: float = Field(
        gt=0,
        le=1,
        description="distance from white at which a colour is surely body; black has 1",
    )
    lpips_backbone: str | None = Field(
        None,
        description="torchvision's AlexNet weights (a .pth file); without them there is no LPIPS",
    )


class Triangulation(Config):
    """Joints from the heat maps of six views."""

    coarse: int = Field(ge=8, le=128, description="voxels a side of the first search")
    fine: int = Field(ge=3, le=33, description="points a side of the local search (odd)")
    radius: float = Field(gt=0, description="half width of the local search, coarse voxels")
    floor: float = Field(
        gt=0, lt=1, description="least share of the peak's heat; bounds what one view can veto"
    )
    depth_weight: float = Field(
        ge=0, description="weight of a view's depths, which it guesses, beside what it shows"
    )
    candidates: int = Field(ge=1, description="places considered for each joint")
    slack: float = Field(
        ge=0, description="added to the deviation of a bone's length, normalised units"
    )

    @model_validator(mode="after")
    def _odd(self) -> "Triangulation":
        if self.fine % 2 == 0:
            raise ValueError("fine must be odd, so that the coarse maximum is one of its points")
        return self


class EvaluateConfig(Config):
    """How samples are measured against a benchmark."""

    seed: int = Field(description="seed of the surface samples")
    threads: int = Field(ge=1, description="threads of PyTorch")
    batch: int = Field(ge=1, description="subjects judged at once")
    hull: Hull = Field(description="mesh from masks")
    geometry: Geometry = Field(description="surface distances")
    images: Images = Field(description="picture metrics")


class Augmentation(Config):
    """Changes of the judge's training pictures: soft samples, poses that tip over."""

    probability: float = Field(ge=0, le=1, description="share of pictures that are degraded")
    blur: float = Field(ge=0, description="greatest Gaussian blur, pixels (standard deviation)")
    noise: float = Field(ge=0, description="greatest noise, in units of the pixel range [-1, 1]")
    contrast: float = Field(ge=0, lt=1, description="greatest change of the colours' contrast")
    spin: float = Field(
        ge=0, le=1, description="share of pictures that are turned in their plane by any angle"
    )
    shrink: float = Field(ge=0, lt=1, description="greatest shrinking of a turned picture")


class JudgeConfig(Config):
    """Network and training of the pose judge."""

    seed: int = Field(description="seed of weights, batches and degradation")
    threads: int = Field(ge=1, description="threads of PyTorch")
    device: str = Field(description="`auto`, `cpu` or `cuda`")
    channels: list[int] = Field(
        min_length=1, description="width of each level, finest (a quarter of the picture) first"
    )
    blocks: int = Field(ge=1, description="residual blocks a level on the way down")
    bins: int = Field(ge=4, description="bins of a joint's depth")
    steps: int = Field(ge=1, description="optimiser steps")
    batch: int = Field(ge=1, description="pictures a step")
    learning_rate: float = Field(gt=0, description="peak learning rate of a one-cycle schedule")
    weight_decay: float = Field(ge=0, description="AdamW's weight decay")
    sigma: float = Field(gt=0, description="width of a target, heat-map pixels and depth bins")
    augmentation: Augmentation = Field(description="degradation of the pictures")
    triangulation: Triangulation = Field(description="joints from heat maps")
    pck_mm: float = Field(gt=0, description="threshold of PCK, millimetres after root alignment")
    validation_subjects: int = Field(ge=1, description="subjects judged after training")
    checkpoint_every: int = Field(ge=1, description="steps between checkpoints")
