"""Settings of the motion."""

from typing import Literal

from pydantic import Field, model_validator

from poseloop.runtime.config import Config


class SourceConfig(Config):
    """Where clips come from."""

    kind: Literal["deepmimic", "bvh", "amass", "motionx"] = Field(description="format of the files")
    path: str | None = Field(
        None,
        description="file or folder; for deepmimic null means the clips of the installed pybullet",
    )
    clips: list[str] | None = Field(None, description="clip names to take; null takes all")
    up: Literal["y", "z"] | None = Field(
        None, description="vertical axis of AMASS (null: z) and Motion-X (null: y) files"
    )
    first_frame: int = Field(0, ge=0, description="first frame to take of a BVH file")

    @model_validator(mode="after")
    def _path_unless_packaged(self) -> "SourceConfig":
        if self.path is None and self.kind != "deepmimic":
            raise ValueError(f"path: needed for {self.kind} files")
        return self


class SplitConfig(Config):
    """Clips kept from training; all clips that are not named train."""

    val: list[str] = Field(description="clips for choosing models")
    test: list[str] = Field(description="clips for benchmarks only")

    @model_validator(mode="after")
    def _disjoint(self) -> "SplitConfig":
        twice = sorted(set(self.val) & set(self.test))
        if twice:
            raise ValueError(f"{', '.join(twice)}: in two splits")
        return self


class MotionConfig(Config):
    """Which motions there are and what each is for."""

    sources: list[SourceConfig] = Field(min_length=1, description="one or more sources")
    splits: SplitConfig = Field(description="roles of clips")
    fps: float | None = Field(
        gt=0, description="frames a second of all clips, by interpolation; null keeps each clip's"
    )
    mirror: bool = Field(description="add every frame's left-right mirror image")
