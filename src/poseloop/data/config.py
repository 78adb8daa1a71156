"""Configuration of the data sets: scans, pose set and benchmarks."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from poseloop.render.backend import Backend
from poseloop.render.cameras import PAPER_AZIMUTHS
from poseloop.runtime.config import Config

Split = Literal["train", "val", "test"]
Share = Annotated[float, Field(ge=0, le=1)]
Range = tuple[float, float]


class Picture(Config):
    """How pictures are rendered."""

    size: int = Field(64, ge=8, description="Pixels along each side.")
    supersample: int = Field(2, ge=1, le=8, description="Samples per pixel along each side.")
    backend: Backend = Field("raycast", description="Renderer: raycast or pyrender (EGL).")


class People(Config):
    """Whose body and clothes: seeded streams that no two splits share."""

    stream: str = Field(description="Name of the random streams of bodies and appearances.")
    bodies: int = Field(ge=1, description="Number of different bodies.")
    shape: float = Field(1.0, ge=0, description="Standard deviation of betas, clipped at 2.")


class Motion(Config):
    """Which poses: clips of the prepared motion file, or files of the user's own."""

    source: Literal["clips", "deepmimic", "bvh", "amass", "motionx"] = Field(
        "clips", description="`clips` for the study's motion file, or a format of `path`."
    )
    path: str | None = Field(None, description="File or folder of a source other than `clips`.")
    up: Literal["y", "z"] | None = Field(
        None, description="Vertical axis of AMASS (null: z) and Motion-X (null: y) files."
    )
    splits: tuple[Split, ...] = Field(
        ("train",), description="Splits that clips of the motion file may come from."
    )
    clips: dict[str, float] = Field(
        {}, description="Weight of each clip; empty takes every clip of the splits alike."
    )
    mirror: Share = Field(0.5, description="Share of poses that are mirrored left to right.")
    recombine: Share = Field(
        0.0, description="Share of poses with the upper body of one pose on the lower of another."
    )
    recombine_degrees: float = Field(
        30.0, gt=0, description="Largest angle between the trunks of such two poses."
    )
    joint_noise: float = Field(0.0, ge=0, description="Noise of each joint's rotation, degrees.")
    yaw: float = Field(
        180.0, ge=0, le=180, description="Facing is uniform within this of the camera, degrees."
    )

    @model_validator(mode="after")
    def _complete(self) -> "Motion":
        if self.source not in ("clips", "deepmimic") and self.path is None:
            raise ValueError(f"motion source {self.source} needs a path")
        return self


class InputCamera(Config):
    """The camera of the model's input picture; the six views are always orthographic."""

    kind: Literal["orthographic", "perspective"] = Field(
        "orthographic", description="Projection of the input picture."
    )
    distance: Range = Field(
        (2.0, 4.0), description="Of a perspective camera, in diagonals of the person's box."
    )
    pitch: Range = Field(
        (0.0, 0.0), description="Downward tilt of the camera, degrees; the subject turns with it."
    )


class Backdrop(Config):
    """What is behind and before the person in the input picture."""

    background: Share = Field(0.0, description="Share of pictures with a background.")
    occluder: Share = Field(0.0, description="Share of pictures with a box before the person.")
    occluder_size: Range = Field(
        (0.2, 0.4), description="Sides of the box as shares of the person's."
    )
    brightness: Range = Field((1.0, 1.0), description="Range of the exposure's factor.")


class ViewSetConfig(Config):
    """One set of people with all their views: scans or a benchmark."""

    subjects: int = Field(ge=1, description="Number of subjects.")
    motion: Motion
    people: People
    camera: InputCamera = InputCamera()
    backdrop: Backdrop = Backdrop()
    half_vertices: bool = Field(
        False, description="Store meshes as float16: enough for training, not for metrics."
    )
    shards: int = Field(
        1,
        ge=1,
        description="Files of a training set, each rendered by a job of its own; no effect on the "
        "people in them.",
    )


class ViewSetsConfig(Config):
    """scans.yaml and benchmarks.yaml."""

    seed: int = Field(0, description="Seed of every stream of this file.")
    processes: int = Field(2, ge=1, description="Rendering processes; no effect on the result.")
    picture: Picture = Picture()
    azimuths: tuple[float, ...] = Field(PAPER_AZIMUTHS, description="Views, degrees; 0 is first.")
    sets: dict[str, ViewSetConfig]

    @model_validator(mode="after")
    def _consistent(self) -> "ViewSetsConfig":
        if not self.azimuths or self.azimuths[0] != 0:
            raise ValueError("azimuths must start with 0, the input view")
        streams = [entry.people.stream for entry in self.sets.values()]
        if len(set(streams)) < len(streams):
            raise ValueError("two sets share a people stream")
        for name in self.sets:
            if "." in name:
                raise ValueError(f"sets: {name}: a name holds no dot, which marks a shard")
        return self


class Selection(Config):
    """Which poses the pose set holds (facts/drpose.md 2)."""

    anchors: int = Field(150, ge=1, description="Poses from which neighbours are taken.")
    neighbours: int = Field(9, ge=0, description="Following frames taken with each anchor.")
    stride: int = Field(1, ge=1, description="Frames between neighbours.")
    ordinary: Share = Field(
        0.3, description="Share of anchors drawn at random from the ordinary clips."
    )
    ordinary_clips: tuple[str, ...] = Field((), description="Clips of ordinary poses.")
    splits: tuple[Split, ...] = Field(("train",), description="Splits the poses come from.")
    cross_degrees: float | None = Field(
        None,
        gt=0,
        le=180,
        description="Also choose from crossed clips, the legs of one under the upper body of "
        "another, where their trunks differ by less; null: recorded poses alone.",
    )


class Frames(Config):
    """A folder of frames made elsewhere from the selected poses."""

    path: str = Field(description="Folder of <anchor>_<neighbour>.png, see docs of data.frames.")
    betas: tuple[float, ...] = Field((), description="Shape of the body that drove the frames.")
    yaw: float = Field(0.0, description="Facing of the body before the camera, degrees.")
    pitch: float = Field(0.0, description="Downward tilt of the camera, degrees.")


class PoseSetConfig(Config):
    """poseset.yaml."""

    seed: int = Field(0, description="Seed of every stream of this file.")
    processes: int = Field(2, ge=1, description="Rendering processes; no effect on the result.")
    selection: Selection
    generator: Literal["renderer", "frames"] = Field(
        "renderer", description="Where the pictures come from."
    )
    picture: Picture = Picture()
    people: People
    yaw: float = Field(180.0, ge=0, le=180, description="As in a motion mix, degrees.")
    camera: InputCamera = InputCamera()
    backdrop: Backdrop = Backdrop()
    frames: Frames | None = Field(None, description="For the generator `frames`.")

    @model_validator(mode="after")
    def _complete(self) -> "PoseSetConfig":
        if self.generator == "frames" and self.frames is None:
            raise ValueError("the generator `frames` needs the field frames")
        return self
