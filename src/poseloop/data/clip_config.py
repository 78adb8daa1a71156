"""Configuration of picture sequences, on which the image-animation model learns and draws."""

from pydantic import Field, model_validator

from poseloop.data.config import InputCamera, People, Picture, Share, Split
from poseloop.runtime.config import Config


class ClipSource(Config):
    """One set of sequences: whose, and of which motion."""

    sequences: int = Field(ge=1, description="Number of sequences.")
    splits: tuple[Split, ...] = Field(description="Splits that the motion may come from.")
    clips: tuple[str, ...] = Field((), description="Motion clips; empty takes all of the splits.")
    cross_degrees: float | None = Field(
        None,
        gt=0,
        le=180,
        description="Also draw from crossed clips, as the pose set does; null: recorded ones.",
    )
    mirror: Share = Field(0.5, description="Share of sequences mirrored left to right.")
    reference_clips: tuple[str, ...] = Field(
        (), description="Clips of the reference picture's pose; empty takes all of the splits."
    )
    people: People = Field(description="Whose bodies and clothes.")


class ClipSetsConfig(Config):
    """animate_clips.yaml."""

    seed: int = Field(
        0,
        description="Seed of every stream of this file; with that of scans.yaml a scan set's "
        "people stream names that set's people.",
    )
    processes: int = Field(2, ge=1, description="Rendering processes; no effect on the result.")
    frames: int = Field(ge=2, description="Frames of a sequence.")
    stride: int = Field(ge=1, description="Motion frames between two frames of a sequence.")
    picture: Picture = Field(description="How pictures are rendered.")
    yaw: float = Field(
        ge=0, le=180, description="Facing is uniform within this of the camera, degrees."
    )
    camera: InputCamera = Field(description="Camera of a sequence and of its reference picture.")
    train: ClipSource = Field(description="What the model learns from.")
    held_out: ClipSource = Field(description="What it is measured on and its filter is set by.")
    anchors: int | None = Field(
        None, ge=1, description="Anchors of the pose set to animate, its first; null: all."
    )

    @model_validator(mode="after")
    def _apart(self) -> "ClipSetsConfig":
        if set(self.train.splits) & set(self.held_out.splits):
            raise ValueError("train and held_out share a split")
        if self.train.people.stream == self.held_out.people.stream:
            raise ValueError("train and held_out share a people stream")
        return self
