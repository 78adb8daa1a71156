"""Settings of the ADHMR tables and figures."""

from pydantic import Field

from poseloop.runtime.config import Config


class PublishedValue(Config):
    """A value that a paper prints; it stands beside ours and never compares with it."""

    benchmark: str = Field(description="Our benchmark that stands for the paper's set.")
    metric: str = Field(description="Our metric that stands for the paper's.")
    method: str = Field(description="Our method (name in paths), or a peer's own name.")
    value: float = Field(description="As printed.")
    note: str = Field(description="Whose set, which source, what keeps the values apart.")


class MethodTable(Config):
    """A table of methods."""

    methods: list[str] = Field(min_length=1, description="Names in paths, in order; `base` first.")
    metrics: list[str] = Field(min_length=1, description="Metrics; `*` stands for any ending.")


class HmrReportConfig(Config):
    """adhmr_report.yaml."""

    seed: int = Field(description="Seed of the bootstrap.")
    resamples: int = Field(ge=10, description="Bootstrap draws.")
    tables: dict[str, MethodTable] = Field(description="Tables of methods, by name.")
    ranking: list[str] = Field(description="Metrics of the scorer's table; `*` as above.")
    published: list[PublishedValue] = Field(description="Values printed in papers.")
    smoothing: int = Field(ge=1, description="Steps of the running mean of training curves.")
    curves: list[str] = Field(min_length=1, description="Methods of the Min over M curves.")
    overlays: int = Field(ge=1, description="Pictures of the figure of overlays.")
    overlay_set: str = Field(description="Their set.")
    overlay_method: str = Field(description="The model whose hypotheses they show.")
