"""Configuration of preference pairs."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from poseloop.hmr.config import Positive, Weight
from poseloop.runtime.config import Config


class SourceConfig(Config):
    """Where preferences come from."""

    images: str = Field(description="Picture set (hmr_images.yaml).")
    kind: Literal["scored", "labelled"] = Field(
        description="`scored`: the scorer orders hypotheses, labels are not read. `labelled`: the "
        "truth is hypothesis 0 and wins over the base's samples."
    )
    pictures: Positive | None = Field(None, description="Only the first so many; null takes all.")
    hypotheses: Positive = Field(description="Hypotheses for a picture, the truth included.")

    @model_validator(mode="after")
    def _two(self) -> "SourceConfig":
        if self.hypotheses < 2:
            raise ValueError("hypotheses: a pair needs two")
        return self


class PairingConfig(Config):
    """Which hypotheses of a picture make pairs; the released rule is not known (fact sheet 3)."""

    rule: Literal["best_worst", "top_bottom"] = Field(
        description="`best_worst` gives one pair for a picture, `top_bottom` k: the best with the "
        "worst, the second with the second worst, and so on."
    )
    k: Positive = Field(description="Pairs of a picture under `top_bottom`.")
    least_gap: Weight = Field(
        description="Smallest difference of the scores of a pair, in standard deviations of all "
        "scores about their picture's mean."
    )


class PreferencesConfig(Config):
    """hmr_preferences.yaml."""

    seed: int = Field(description="Seed of the hypotheses' noise.")
    threads: Annotated[int, Field(gt=0)] = Field(description="PyTorch threads.")
    device: str = Field(default="cpu", description="`auto`, `cpu` or `cuda`.")
    shards: Positive = Field(description="Files into which each source is split, by picture.")
    sources: dict[str, SourceConfig] = Field(description="By name.")
    pairing: PairingConfig = Field(description="Pairs of scored sources.")
