"""Configuration of carving."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from poseloop.data.config import Split
from poseloop.runtime.config import Config

Positive = Annotated[int, Field(gt=0)]
Weight = Annotated[float, Field(ge=0)]


class Starts(Config):
    """Poses from which bodies are fitted: diverse frames of motion clips, before the camera."""

    kinds: tuple[Literal["library", "estimate"], ...] = Field(
        description="What is tried: the poses below that look most alike, or the pose that the "
        "ADHMR loop's model estimates in the input picture, or both.",
        min_length=1,
    )
    splits: tuple[Split, ...] = Field(description="Splits of the motion file they come from.")
    poses: Positive = Field(description="Number of poses, by farthest-point selection.")
    yaws: tuple[float, ...] = Field(description="Facings of each pose, degrees.", min_length=1)
    size: Positive = Field(
        description="Side of the pictures by which they are compared; divides the views' side."
    )


class Estimate(Config):
    """The pose that a model of the ADHMR loop finds in the input picture."""

    model: str = Field(
        pattern=r"^[a-z0-9_]+$", description="`base`, or a variant of adhmr.yaml (its seed 0)."
    )
    hypotheses: Positive = Field(description="Drawn for each picture.")
    selected: Positive = Field(description="Best-scored ones of which the mean is taken.")
    size: Positive = Field(description="Side of the crop in pixels, as the model was trained on.")
    margin: float = Field(
        gt=0, description="Side of the crop over the longer side of the mask's box."
    )
    distance: float = Field(
        gt=0,
        description="Of the camera that the scorer is told, in diagonals of the body's box: our "
        "pictures are orthographic, its were not.",
    )
    seed: int = Field(description="Of the hypotheses' noise.")


class Initial(Config):
    """The surface that is carved: the fitted body, joined with the hull where views are unsure."""

    certainty: Weight = Field(
        description="Views at least so certain are carved from the body alone; less certain ones, "
        "in which a limb may be elsewhere than the body has it, from the union of body and hull."
    )
    steps: Positive = Field(
        description="Carving steps from that union, in place of `carving.steps`."
    )
    least_part: Weight = Field(
        description="Parts of the surface with a smaller share of its triangles are left out."
    )


class BodyFit(Config):
    """A body fitted to the views' masks and normals (fact sheet DrPose 4.5, step 2)."""

    candidates: Positive = Field(description="Start poses of the library that are tried.")
    trial_steps: Positive = Field(description="Optimiser steps of each trial.")
    steps: Positive = Field(description="Further steps from the best trial.")
    learning_rate: float = Field(gt=0, description="Of the 6-D rotations and of the place.")
    shape_learning_rate: float = Field(gt=0, description="Of betas and of the size.")
    patience: Positive = Field(description="Steps without progress before the rates are halved.")
    least_learning_rate: float = Field(gt=0, description="Rates are not halved below this.")
    normal_weight: Weight = Field(description="Weight of the normals' loss.")
    mask_weight: Weight = Field(description="Weight of the silhouettes' loss.")
    shape_weight: Weight = Field(description="Weight of the mean square of betas.")
    pose_weight: Weight = Field(
        description="Weight of the mean square distance of the rotations from the start pose."
    )
    frame_weight: Weight = Field(
        description="Weight of the bounding box's distance from the views' normalisation: a "
        "diagonal of one about the origin."
    )
    reach: tuple[float, float] = Field(
        description="Reach of the silhouettes' loss at the first and at the last step, pixels."
    )


class Carving(Config):
    """Remeshing under normal and silhouette losses (fact sheet DrPose 4.5, step 3)."""

    steps: Positive = Field(description="Steps, each followed by a remeshing.")
    learning_rate: float = Field(gt=0, description="Step length as a share of the edge length.")
    betas: tuple[float, float] = Field(description="Decay of the first and second moments.")
    gradient_clamp: float = Field(
        gt=0, description="Largest gradient of a vertex, in multiples of its first moment."
    )
    normal_weight: Weight = Field(description="Weight of the normals' loss.")
    trust: Weight = Field(
        description="The weight of the normals' loss is multiplied by the certainty of the views "
        "to this power: where views contradict each other, their silhouettes say more."
    )
    mask_weight: Weight = Field(description="Weight of the silhouettes' loss.")
    laplacian_weight: Weight = Field(
        description="Share by which each step moves a vertex to its neighbours' mean."
    )
    doubt_weight: Weight = Field(
        description="Share, times one minus the certainty of the views, by which each step undoes "
        "the surface's bending without shrinking it: what they doubt is better smooth."
    )
    smoothing: Annotated[int, Field(ge=0)] = Field(
        description="Times that a step is averaged with those of a vertex's neighbours."
    )
    reach: float = Field(gt=0, description="Reach of the silhouettes' loss, pixels.")
    edge_length: tuple[float, float] = Field(
        description="Shortest and longest reference length of edges, normalised units."
    )
    edge_tolerance: float = Field(
        gt=0, lt=1, description="Share by which edges may leave the reference length."
    )
    reference_speed: float = Field(
        gt=0, lt=1, description="Relative speed above which edges grow, below which they shrink."
    )
    gain: float = Field(ge=0, description="How fast reference lengths follow the speed.")
    length_every: Positive = Field(description="Steps between updates of reference lengths.")

    @model_validator(mode="after")
    def _ordered(self) -> "Carving":
        if self.edge_length[0] > self.edge_length[1]:
            raise ValueError("edge_length: the shortest is longer than the longest")
        return self


class Texture(Config):
    """Colours of vertices from the colour views (fact sheet DrPose 4.5, step 5)."""

    least_cosine: float = Field(
        ge=0, lt=1, description="A view colours what it sees at a greater cosine than this."
    )
    power: float = Field(gt=0, description="Exponent of the cosine in a view's weight.")
    depth_tolerance: float = Field(
        gt=0, description="Depth behind the nearest surface that is still seen, normalised units."
    )


class CarveConfig(Config):
    """carve.yaml."""

    processes: Positive = Field(
        description="Subjects carved at a time, a CPU core each; no effect on the result. On a "
        "GPU one at a time."
    )
    device: Literal["auto", "cpu", "cuda"] = Field(description="Where the losses are computed.")
    rasteriser: Literal["raycast", "nvdiffrast"] = Field(
        description="What decides visibility: embree, or nvdiffrast where it is installed."
    )
    views: tuple[str, ...] = Field(
        description="What is carved: `truth`, the benchmarks' own views, and methods of the study.",
        min_length=1,
    )
    seed: int = Field(description="Seed of the samples that are carved.")
    subjects: Positive = Field(description="Subjects of each benchmark, evenly spread over it.")
    azimuths: tuple[float, ...] = Field(description="Views, degrees.", min_length=2)
    view_weights: tuple[float, ...] = Field(
        description="Weights of the views, in the order of azimuths (fact sheet DrPose 4.5)."
    )
    starts: Starts = Field(description="Start poses.")
    estimate: Estimate = Field(description="Start pose by a model of the ADHMR loop.")
    body: BodyFit = Field(description="Fit of the body.")
    initial: Initial = Field(description="Surface from which the carving starts.")
    carving: Carving = Field(description="Remeshing.")
    texture: Texture = Field(description="Colours.")

    @model_validator(mode="after")
    def _one_weight_a_view(self) -> "CarveConfig":
        if len(self.view_weights) != len(self.azimuths):
            raise ValueError("view_weights: there must be one for each of azimuths")
        return self
