"""Lists that shape the job graph of the ADHMR loop."""

from pydantic import Field, field_validator

from poseloop.runtime.config import Config

BASE = "base"


class AdhmrStudyConfig(Config):
    """adhmr_study.yaml."""

    methods: dict[str, str] = Field(
        description="Method in paths: its name in tables. `base` is the model before "
        "fine-tuning; every other name is a variant in adhmr.yaml."
    )
    base_images: str = Field(description="Picture set on which the base trains.")
    scorer_images: str = Field(description="Picture set on which the scorer trains.")
    validation_images: str = Field(description="Picture set on which settings are chosen.")
    evaluation: list[str] = Field(min_length=1, description="Picture sets of the tables.")
    wild: str = Field(
        description="Picture set of the preferences; only measuring the scorer reads its labels."
    )
    cleaned: str = Field(description="Picture set whose labels are made wrong and cleaned.")

    @field_validator("methods")
    @classmethod
    def _has_base(cls, methods: dict[str, str]) -> dict[str, str]:
        if BASE not in methods:
            raise ValueError("must hold `base`, the model that the others are compared with")
        return methods

    @property
    def variants(self) -> list[str]:
        """The fine-tuned methods, in their order in the tables."""
        return [name for name in self.methods if name != BASE]

    @property
    def image_sets(self) -> list[str]:
        """Every picture set of the study, each once."""
        names = [self.base_images, self.scorer_images, self.validation_images, self.wild]
        return list(dict.fromkeys([*names, self.cleaned, *self.evaluation]))
