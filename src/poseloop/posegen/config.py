"""Settings of the generator, its feedback, the loop and the methods compared."""

import math
from typing import Annotated, Literal

from pydantic import Field, model_validator

from poseloop.data.config import Backdrop, Motion
from poseloop.multiview.config import OptimizerConfig
from poseloop.posegen.config_images import CameraRange, Share
from poseloop.runtime.config import Config

Positive = Annotated[int, Field(gt=0)]
Usual = Literal["prior", "starts"]
Feedback = Literal["none", "detached", "through_render", "score_function", "difficulty_net"]


class ChangeConfig(Config):
    """How far a generator may change what it starts from, standard deviations of the prior."""

    pose: float = Field(gt=0, description="Each of the pose's coordinates.")
    camera: float = Field(
        gt=0, description="Each of the camera's; 1 is about half of a camera's range."
    )


class StartsConfig(Config):
    """How the poses that a generator starts from differ from the prior's.

    Part-wise discriminators (fact sheet PoseGen 1) allow the parts of one pose beside those of
    another, so a generator need not learn first that they go together.
    """

    recombine: Share = Field(
        description="Share with the upper body of one pose of the prior on the lower of another."
    )
    joint_noise: float = Field(ge=0, description="Noise of each joint's rotation, degrees.")


class GeneratorConfig(Config):
    """Generator of pose and camera, and its part-wise discriminators (fact sheet PoseGen 1)."""

    noise: Positive = Field(description="Width of the noise; the release has 32.")
    hidden: Positive = Field(description="Width of the generator's layers; the release has 256.")
    critic_hidden: Positive = Field(description="Width of a discriminator; the release has 500.")
    change: ChangeConfig | None = Field(
        description="Most that a pose and a camera it starts from are changed; null is a generator "
        "from noise alone, as in the release."
    )
    starts: StartsConfig = Field(
        description="What a generator starts from; also what bounds it and what its "
        "discriminators take for real."
    )
    range_factor: float = Field(
        ge=1, description="Bounds of each rotation coordinate as a multiple of the starts' range."
    )
    camera: CameraRange = Field(description="Bounds of the camera.")
    usual: CameraRange = Field(description="Where most cameras of the prior are, within bounds.")
    usual_share: Share = Field(
        description="Share of the prior's cameras drawn from `usual`; the rest is from `camera`."
    )
    own_share: Share = Field(
        description="Share of a generator's pictures that are its own; the others are random ones "
        "of what it starts from, so that what is hard comes beside what is usual."
    )
    motion: Motion = Field(description="The motion prior, in place of AMASS.")
    batch_size: Positive = Field(description="Poses per step; the release has 1024.")
    warmup_steps: Positive = Field(description="Adversarial steps before any feedback.")
    pool: Positive = Field(description="Past fakes kept for the discriminators.")
    learning_rate: float = Field(gt=0, description="Of both Adams.")
    diversity_weight: float = Field(ge=0, description="Weight of the diversity terms.")
    pose_diversity: float = Field(
        gt=0, description="Distance of two poses for a unit distance of their noises, radians."
    )
    camera_diversity: float = Field(
        gt=0,
        description="The same of two cameras, each coordinate over half its range; cameras drawn "
        "evenly from all of it have about 0.2 for a noise of 32 numbers.",
    )


class FeedbackConfig(Config):
    """What the estimator's error does to the generator."""

    weight: float = Field(ge=0, description="Weight of the hinge beside the adversarial term.")
    target: float = Field(gt=0, description="Wanted error over the mean error on ordinary poses.")
    slack: float = Field(ge=0, description="Half-width around the target without a gradient.")
    steps: Positive = Field(description="Generator steps with feedback in each round.")
    batch_size: Positive = Field(description="Poses rendered in each such step.")
    size: Positive = Field(description="Pixels of the low-resolution render.")
    noise: float = Field(gt=0, description="Std of the score function's perturbation, of a range.")
    probes: Positive = Field(description="Poses on which the directions are measured.")
    candidates: Positive = Field(
        description="Poses that a screened generator proposes for each that it shows, the "
        "estimator's error measured on a low-resolution render of each."
    )
    hardest: Positive = Field(
        description="The shown ones are drawn at random from this many times as many candidates, "
        "the hardest within the cap; at most `candidates`."
    )
    difficulty_hidden: Positive = Field(description="Width of the difficulty network.")
    difficulty_steps: Positive = Field(description="Steps of its training in each round.")

    @model_validator(mode="after")
    def _enough(self) -> "FeedbackConfig":
        if self.hardest > self.candidates:
            raise ValueError("hardest: must not be larger than candidates")
        return self


class FilterConfig(Config):
    """Which rendered pairs are dropped before fine-tuning."""

    fidelity: Share = Field(
        description="Least share of joints that the independent check finds near their label."
    )
    radius: float = Field(gt=0, description="What near is, picture widths.")
    hardness: float = Field(
        gt=0, description="Largest error over the mean error on ordinary poses."
    )
    checked: Positive = Field(description="Pictures on which label fidelity is reported.")
    surplus: float = Field(ge=1, description="Pairs rendered for each one kept, at most.")


class FinetuneConfig(Config):
    """Fine-tuning of an estimator in one round."""

    steps: list[Positive] = Field(
        min_length=1,
        description="Optimiser steps of each round. The last round has the most: short schedules "
        "at this rate forget more than they learn.",
    )
    batch_size: Positive = Field(description="Pictures per step.")
    anchor_share: Share = Field(description="Share of ordinary pictures in a batch.")
    anchor_turn: float = Field(
        ge=0,
        description="The ordinary pictures are joined by copies that are turned in their plane by "
        "up to this, degrees, and scaled: without these forgetting is several times larger.",
    )
    made_copies: int = Field(
        ge=0, description="Turned and scaled copies that join each made picture."
    )
    made_turn: float = Field(ge=0, description="How far these are turned at most, degrees.")
    optimizer: OptimizerConfig = Field(description="Optimiser.")
    ema_decay: float = Field(gt=0, lt=1, description="Decay of the weight average that is kept.")
    blend: float = Field(
        gt=0,
        le=1,
        description="Share of the fine-tuned weights in the result, the rest is the estimator "
        "before (WiSE-FT, Wortsman et al., CVPR 2022): a fifth of the old weights undoes most of "
        "the forgetting and little of the gain.",
    )
    validate_every: Positive = Field(description="Steps between validations.")


class MethodConfig(Config):
    """One way to find pictures for fine-tuning; all have the same number of pictures and steps."""

    label: str = Field(description="Name in tables and figures.")
    source: Literal[
        "none", "anchor", "augment", "prior", "scattered", "limits", "mine", "starts", "generator"
    ] = Field(
        description="`none`: no fine-tuning; `anchor`: ordinary pictures only; `augment`: turned "
        "and scaled ordinary pictures; `prior`: random poses and cameras of the prior; "
        "`scattered`: its poses before cameras from anywhere; `limits`: random poses within "
        "joint limits before cameras from anywhere; `mine`: the hardest of many of `prior`; "
        "`starts`: random ones of what a generator starts from; `generator`: the GAN."
    )
    feedback: Feedback = Field("none", description="Feedback to the generator.")
    screened: bool = Field(
        False, description="Whether a generator shows the hard ones of several candidates."
    )
    capped: bool = Field(True, description="Whether the hinge and the hardness filter are on.")
    renderer: Literal["nerf", "mesh"] = Field("nerf", description="What draws the pictures.")
    estimators: list[str] | None = Field(None, description="Estimators to run on; null is all.")

    @property
    def usual(self) -> Usual:
        """Of which random poses a method's pictures are that it shares with others."""
        return "starts" if self.source in ("starts", "generator") else "prior"

    @model_validator(mode="after")
    def _fits(self) -> "MethodConfig":
        if self.feedback != "none" and self.source != "generator":
            raise ValueError("feedback: only a generator takes feedback")
        if self.screened and self.source != "generator":
            raise ValueError("screened: only a generator has candidates")
        return self


class PosegenConfig(Config):
    """posegen.yaml."""

    seeds: list[int] = Field(min_length=1, description="Seeds of the loop; one run each.")
    threads: Positive = Field(description="PyTorch threads; part of the result.")
    device: str = Field(default="cpu", description="`auto`, `cpu` or `cuda`.")
    pictures: Positive = Field(description="Pictures made in each round.")
    prints: Positive = Field(
        description="Pictures of each rendered pose, in other light, colours and surroundings; "
        "every second one is mirrored."
    )
    mined: Positive = Field(description="Random pictures from which each picture is mined.")
    surface: Backdrop = Field(description="Backgrounds and exposure of rendered pictures.")
    crowd: Share = Field(0.0, description="Share of rendered pictures with a second person.")
    colour_jitter: Share = Field(description="Range of each rendered picture's colour factors.")
    generator: GeneratorConfig = Field(description="Generator and discriminators.")
    feedback: FeedbackConfig = Field(description="Feedback.")
    filter: FilterConfig = Field(description="Filter of rendered pairs.")
    finetune: FinetuneConfig = Field(description="Fine-tuning.")
    methods: dict[str, MethodConfig] = Field(description="Methods by name.")
    baseline: str = Field(description="Method that gains are measured against.")
    main: str = Field(description="Method that is called PoseGen in the main table.")
    rivals: list[str] = Field(description="Methods beside it in the main table.")
    test_sets: list[str] = Field(min_length=1, description="Shifted test sets.")
    indomain: str = Field(description="Set on which forgetting is measured.")

    @property
    def rounds(self) -> int:
        """Rounds of the loop."""
        return len(self.finetune.steps)

    def poses_for(self, surplus: float) -> int:
        """Poses to render in a round for `surplus` times the pictures wanted."""
        return math.ceil(self.pictures * surplus / self.prints)

    def poses_of(self, entry: MethodConfig) -> tuple[int, int]:
        """Poses that a method shows in a round, and how many of them are its own.

        The others are random ones (`MethodConfig.usual`), which it shares with other methods.
        """
        if entry.source in ("none", "anchor", "augment"):
            return 0, 0
        poses = self.poses_for(self.mined if entry.source == "mine" else self.filter.surplus)
        if entry.source in ("prior", "mine", "starts"):
            return poses, 0
        share = self.generator.own_share if entry.source == "generator" else 1.0
        return poses, round(poses * share)

    @model_validator(mode="after")
    def _named(self) -> "PosegenConfig":
        for field in ("baseline", "main", "rivals"):
            named = getattr(self, field)
            for name in [named] if isinstance(named, str) else named:
                if name not in self.methods:
                    raise ValueError(f"{field}: no method {name!r}")
        return self

    def parts(self, estimator: str) -> dict[str, list[str]]:
        """Methods that run on an estimator: `main`, of the main table, and `ablations`."""
        mine = [name for name in self.methods if self.estimators_of(name, [estimator])]
        first = {self.baseline, self.main, *self.rivals}
        parts = {
            "main": [name for name in mine if name in first],
            "ablations": [name for name in mine if name not in first],
        }
        return {part: methods for part, methods in parts.items() if methods}

    def estimators_of(self, method: str, tuned: list[str]) -> list[str]:
        """Estimators that a method runs on, of those that are fine-tuned."""
        wanted = self.methods[method].estimators
        return tuned if wanted is None else [name for name in tuned if name in wanted]
