"""Settings of the body."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from poseloop.runtime.config import Config

Range = Annotated[tuple[float, float], Field(description="lowest and highest value")]


class PhenotypeConfig(Config):
    """Ranges of Anny's phenotype values (0 to 1) from which people are drawn uniformly."""

    gender: Range = Field(description="0 male to 1 female")
    age: Range = Field(description="1/3 is a child, 2/3 a young adult, 1 old")
    muscle: Range = Field(description="muscularity")
    weight: Range = Field(description="weight for the height")
    height: Range = Field(description="stature")
    proportions: Range = Field(description="0 ideal to 1 uncommon proportions")

    @model_validator(mode="after")
    def _ordered(self) -> "PhenotypeConfig":
        for name in type(self).model_fields:
            low, high = getattr(self, name)
            if not 0 <= low <= high <= 1:
                raise ValueError(f"{name}: needs 0 <= lowest <= highest <= 1")
        return self


class BodyConfig(Config):
    """Which body the people have and how the open one is made."""

    source: Literal["anny", "licensed"] = Field(
        description="bake the open body, or convert the licensed file under `path`"
    )
    model_type: Literal["smpl", "smplh", "smplx"] = Field(
        description="format of the licensed file; the baked body is smpl"
    )
    path: str | None = Field(
        description="licensed file, or folder with <model_type>/<MODEL>_NEUTRAL.npz or .pkl"
    )
    faces: int = Field(ge=500, description="triangles after decimation of the open body")
    samples: int = Field(ge=20, description="people from whom the shape space is learned")
    shape_components: int = Field(ge=1, le=300, description="number of betas")
    regressor_vertices: int = Field(ge=8, description="nearest vertices that a joint may use")
    seed: int = Field(ge=0, description="seed of the people's stream")
    threads: int = Field(ge=1, description="threads of PyTorch; part of the result")
    phenotypes: PhenotypeConfig = Field(description="the people")

    @model_validator(mode="after")
    def _path_if_licensed(self) -> "BodyConfig":
        if self.source == "licensed" and self.path is None:
            raise ValueError("path: needed when source is licensed")
        if self.source == "anny" and self.model_type != "smpl":
            raise ValueError("model_type: the baked body is smpl")
        return self
