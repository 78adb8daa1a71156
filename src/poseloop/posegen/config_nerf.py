"""Settings of the articulated NeRF: its captures, its two fields, their training."""

from typing import Annotated

from pydantic import Field, model_validator

from poseloop.data.config import Motion, People, Picture
from poseloop.multiview.config import OptimizerConfig
from poseloop.runtime.config import Config

Positive = Annotated[int, Field(gt=0)]


class CaptureConfig(Config):
    """Multi-view pictures of a handful of subjects in a studio of even light."""

    subjects: int = Field(ge=1, description="Number of subjects.")
    poses: int = Field(ge=2, description="Poses of each subject that are trained on.")
    held_poses: int = Field(ge=1, description="Further poses, never trained on.")
    azimuths: list[float] = Field(description="Cameras of the training views, degrees.")
    held_azimuth: float = Field(description="Camera of the held-out view, degrees.")
    elevation: float = Field(description="Of all cameras, degrees.")
    distance: float = Field(ge=1.5, description="Of all cameras, metres.")
    motion: Motion = Field(description="Poses of the captures.")
    people: People = Field(description="Bodies and looks.")
    picture: Picture = Field(description="How the captures are rendered.")

    @model_validator(mode="after")
    def _several_views(self) -> "CaptureConfig":
        if len(set(self.azimuths)) < 2:
            raise ValueError("azimuths: a subject seen from one view only has no depth; give two")
        if self.held_azimuth in self.azimuths:
            raise ValueError("held_azimuth: is among the training views")
        return self


class PartFieldConfig(Config):
    """The fast field: one grid per body part, moved by the skeleton."""

    resolution: Positive = Field(description="Cells along each side of a part's grid.")
    margin: float = Field(gt=0, description="Of a limb's box around its bones, metres.")
    trunk_margin: float = Field(gt=0, description="Of the trunk's and head's boxes, metres.")
    step: float = Field(gt=0, description="Between samples along a ray, metres.")
    reach: float = Field(gt=0, description="Largest depth before and behind the crop's centre, m.")
    blend: float = Field(gt=0, description="Distance over which neighbouring parts mix, metres.")
    refresh: Positive = Field(description="Steps between searches for empty cells in training.")
    occupancy: float = Field(gt=0, description="Density below which a cell is skipped, 1/m.")
    smoothness: float = Field(ge=0, description="Weight of the grids' squared differences.")


class RelativeFieldConfig(Config):
    """The skeleton-relative field of A-NeRF (fact sheet PoseGen 7)."""

    width: Positive = Field(description="Hidden width; the paper has 256.")
    depth: Positive = Field(description="Hidden layers; the paper has 8.")
    frequencies: Positive = Field(description="Of the distances' encoding; the paper has 7.")
    cutoff: float = Field(gt=0, description="Window's radius around a joint, metres.")
    sharpness: float = Field(gt=0, description="Window's tau at the end of training.")
    coarse: Positive = Field(description="Stratified samples per ray; the paper has 64.")
    fine: Positive = Field(description="Importance samples per ray; the paper has 16.")
    radius: float = Field(gt=0, description="Margin of the near-far cylinder, metres.")
    rays: Positive = Field(description="Rays per step.")


class FitConfig(Config):
    """Training of one field."""

    subjects: Positive = Field(description="Subjects it is trained on, the first ones.")
    steps: Positive = Field(description="Optimiser steps; subjects take turns.")
    batch_size: Positive = Field(description="Pictures per step.")
    optimizer: OptimizerConfig = Field(description="Optimiser.")
    mask_weight: float = Field(ge=0, description="Weight of the silhouette's squared error.")


class NerfConfig(Config):
    """posegen_nerf.yaml."""

    seed: int = Field(description="Seed of captures, weights and batches.")
    threads: Positive = Field(description="PyTorch threads; part of the result.")
    device: str = Field(default="cpu", description="`auto`, `cpu` or `cuda`.")
    capture: CaptureConfig = Field(description="Captures.")
    parts: PartFieldConfig = Field(description="The fast field.")
    relative: RelativeFieldConfig = Field(description="The skeleton-relative field.")
    fit: dict[str, FitConfig] = Field(description="Training of `parts` and of `relative`.")
    ema_decay: float = Field(gt=0, lt=1, description="Decay of the weight average that is saved.")
    checkpoint_every: Positive = Field(description="Steps between checkpoints.")
    mask_level: float = Field(gt=0, lt=1, description="Opacity from which a pixel is body.")
    turntable: Positive = Field(description="Views of each subject on the turntable.")

    @model_validator(mode="after")
    def _complete(self) -> "NerfConfig":
        if set(self.fit) != {"parts", "relative"}:
            raise ValueError("fit: needs exactly parts and relative")
        most = max(entry.subjects for entry in self.fit.values())
        if most > self.capture.subjects:
            raise ValueError(f"fit.subjects: {most} of {self.capture.subjects} captured subjects")
        return self
