"""Settings of the picture sets: whose bodies, which poses, which cameras, what is in the way."""

from typing import Annotated

from pydantic import Field, model_validator

from poseloop.data.config import Backdrop, Motion, People, Picture
from poseloop.runtime.config import Config

Degrees = tuple[float, float]
Share = Annotated[float, Field(ge=0, le=1)]


class CameraRange(Config):
    """Cameras that look at a person, uniform in every field."""

    azimuth: Degrees = Field((-180.0, 180.0), description="About the vertical, degrees.")
    elevation: Degrees = Field((0.0, 0.0), description="Above the horizon, degrees.")
    roll: Degrees = Field((0.0, 0.0), description="About the line of sight, degrees.")
    distance: tuple[float, float] = Field((3.0, 6.0), description="From the person, metres.")

    @model_validator(mode="after")
    def _ordered(self) -> "CameraRange":
        for name in type(self).model_fields:
            low, high = getattr(self, name)
            if low > high:
                raise ValueError(f"{name}: needs lowest <= highest")
        if self.distance[0] < 1.5:
            raise ValueError("distance: a camera nearer than 1.5 m is inside a person's reach")
        return self


class ImageSetConfig(Config):
    """One set of pictures of people with their pose."""

    count: int = Field(ge=1, description="Number of pictures.")
    motion: Motion = Field(description="Poses; the field yaw is not used, azimuth takes its place.")
    people: People = Field(description="Bodies and looks.")
    camera: CameraRange = Field(description="Cameras.")
    backdrop: Backdrop = Field(Backdrop(), description="Background, occluder, exposure.")
    crowd: Share = Field(0.0, description="Share of pictures with a second person in the frame.")


class ImageSetsConfig(Config):
    """posegen_images.yaml."""

    seed: int = Field(description="Seed of every stream of this file.")
    picture: Picture = Field(description="How pictures are rendered.")
    device: str = Field(
        default="cpu", description="`auto`, `cpu` or `cuda`, to measure estimators on the sets."
    )
    surface_points: int = Field(
        ge=1, description="Vertices, evenly spread over the body, on which PVE is measured."
    )
    sets: dict[str, ImageSetConfig] = Field(description="The sets by name.")

    @model_validator(mode="after")
    def _own_people(self) -> "ImageSetsConfig":
        streams = [entry.people.stream for entry in self.sets.values()]
        if len(set(streams)) < len(streams):
            raise ValueError("sets: two sets share a people stream")
        return self
