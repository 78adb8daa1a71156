"""Configuration of the labelled pictures that the ADHMR loop learns from and is measured on."""

from typing import Annotated

from pydantic import Field, model_validator

from poseloop.data.config import Backdrop, InputCamera, Motion, People, Picture
from poseloop.runtime.config import Config
from poseloop.runtime.errors import UserError

Share = Annotated[float, Field(ge=0, le=1)]
Range = tuple[float, float]


class Crop(Config):
    """How the person's box is cut out of the rendered picture."""

    size: int = Field(ge=16, description="Pixels along each side of the crop.")
    margin: Range = Field(description="Side of the crop over the longer side of the joints' box.")
    shift: float = Field(ge=0, description="Greatest shift of the crop, in sides of the crop.")
    truncated: Share = Field(0.0, description="Share of pictures whose crop cuts the body.")
    truncated_margin: Range = Field((0.55, 0.8), description="`margin` of such a crop.")


class ImageSetConfig(Config):
    """One set of labelled pictures."""

    images: int = Field(ge=1, description="Number of pictures.")
    processes: int | None = Field(
        None, ge=1, description="Rendering processes of this set in place of the file's."
    )
    motion: Motion
    people: People
    camera: InputCamera
    backdrop: Backdrop
    crop: Crop


class ImageSetsConfig(Config):
    """hmr_images.yaml: training, preference and evaluation pictures."""

    seed: int = Field(description="Seed of every stream of this file.")
    processes: int = Field(ge=1, description="Rendering processes; no effect on the result.")
    picture: Picture = Field(description="The rendered picture, from which the crop is taken.")
    sets: dict[str, ImageSetConfig]

    @model_validator(mode="after")
    def _apart(self) -> "ImageSetsConfig":
        streams = [entry.people.stream for entry in self.sets.values()]
        if len(set(streams)) < len(streams):
            raise ValueError("two sets share a people stream")
        if len({entry.crop.size for entry in self.sets.values()}) > 1:
            raise ValueError("the crops of all sets need one size")
        return self

    def entry(self, name: str) -> ImageSetConfig:
        """The set `name`.

        Raises
        ------
        UserError
            There is none.
        """
        if name not in self.sets:
            known = ", ".join(self.sets)
            raise UserError(f"hmr_images.yaml: sets: no set {name!r}; there are {known}")
        return self.sets[name]

    def processes_of(self, name: str) -> int:
        """Processes that render a set."""
        return self.entry(name).processes or self.processes
