"""Settings of tables and figures."""

from pydantic import Field

from poseloop.runtime.config import Config


class Published(Config):
    """One pair of values that a paper prints."""

    benchmark: str = Field(description="our benchmark that stands for the paper's set")
    metric: str = Field(description="our metric that stands for the paper's")
    base: float = Field(description="the paper's base model")
    tuned: float = Field(description="the paper's fine-tuned model")
    note: str = Field(description="whose sets, which unit, what keeps the values apart")


class Qualitative(Config):
    """Figure of pictures."""

    benchmark: str = Field(description="benchmark to show")
    subjects: int = Field(ge=1, description="rows, the hardest subjects")
    azimuths: list[float] = Field(min_length=1, description="views to show, degrees")


class Difficulty(Config):
    """Figure of error by pose difficulty."""

    metric: str = Field(description="error on the vertical axis")
    bins: int = Field(ge=1, description="bins of equally many subjects")


class ReportConfig(Config):
    """How results are reported."""

    seed: int = Field(description="seed of the bootstrap")
    resamples: int = Field(ge=10, description="bootstrap draws")
    tables: dict[str, list[str]] = Field(
        description="metrics of each table; `*` stands for any ending"
    )
    notes: dict[str, str] = Field(description="remark that goes with a metric wherever it stands")
    published: list[Published] = Field(description="values printed in the paper")
    smoothing: int = Field(ge=1, description="steps of the running mean of training curves")
    qualitative: Qualitative = Field(description="figure of pictures")
    difficulty: Difficulty = Field(description="figure of error by pose difficulty")
