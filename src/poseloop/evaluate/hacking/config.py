"""Settings of the measurement of reward hacking."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from poseloop.evaluate.hacking.metrics import DIRECTED
from poseloop.reward.family.config import FamilyConfig
from poseloop.runtime.config import Config
from poseloop.runtime.errors import UserError
from poseloop.runtime.study import StudyConfig

Positive = Annotated[int, Field(gt=0)]


class StopConfig(Config):
    """Which snapshot is chosen: by the judge, on subjects that no gain is told of."""

    measure: Literal["judge_mpjpe", "judge_pa_mpjpe"] = Field(
        description="The judge's error that is least at the chosen step, mean over the sets."
    )
    within: float = Field(
        ge=0, description="Steps whose error is within this share of the least one are tied."
    )
    take: Literal["earliest", "latest"] = Field(description="Which of the tied steps is chosen.")


class HackingConfig(Config):
    """hacking.yaml."""

    seed: int = Field(description="Seed of the noise.")
    threads: Positive = Field(description="PyTorch threads; part of the result.")
    device: str = Field(description="`auto`, `cpu` or `cuda`.")
    arms: list[str] = Field(min_length=1, description="Arms of family.yaml that are measured.")
    sets: list[str] = Field(min_length=1, description="Validation scans of study.yaml.")
    choosing: Positive = Field(
        description="Subjects of each set, its first ones, on which the stop is chosen."
    )
    reporting: Positive = Field(
        description="Subjects after these, of which table and figure speak: a gain on the "
        "subjects that chose the stop would be too large."
    )
    noises: int = Field(ge=2, description="Samples of a subject, each from a noise of its own.")
    ddim_steps: Positive = Field(description="Steps of the sampler.")
    batch_size: Positive = Field(description="Subjects sampled at once.")
    sharpness_step: float = Field(
        gt=0, description="rho: length of the step down the reward, in normalised latents."
    )
    drift_timesteps: list[Annotated[int, Field(ge=0)]] = Field(
        min_length=1, description="Timesteps at which predictions of v are compared."
    )
    stop: StopConfig = Field(description="Choice of the early stop.")
    table: list[Literal[DIRECTED]] = Field(min_length=1, description="Measures of the table.")


def check_hacking(
    path: str | Path, config: HackingConfig, study: StudyConfig, family: FamilyConfig
) -> None:
    """Check the names in a config against the files that define them.

    Raises
    ------
    UserError
        An arm is not trained or is not rewarded by PoseScore, or a set is none of the validation
        sets: a stop that is chosen on a benchmark has seen the test.
    """
    rewarded = [arm for arm in family.arms if family.reward_of(arm).kind == "maps"]
    known = {"arms": rewarded, "sets": study.validation_scans}
    for field, names in known.items():
        unknown = [name for name in getattr(config, field) if name not in names]
        if unknown:
            raise UserError(
                f"{path}: {field}: {', '.join(map(str, unknown))} not among "
                f"{', '.join(map(str, names))}"
            )
