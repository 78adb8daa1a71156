"""Settings of PoseGen's tables and figures."""

from typing import Literal

from pydantic import Field

from poseloop.runtime.config import Config

ErrorMetric = Literal["mpjpe", "pa_mpjpe", "pve", "pck150", "auc"]


class PosegenReportConfig(Config):
    """posegen_report.yaml."""

    seed: int = Field(description="Seed of the bootstrap.")
    resamples: int = Field(ge=10, description="Bootstrap draws.")
    metrics: list[ErrorMetric] = Field(min_length=1, description="Metrics, in the order of rows.")
    headline: list[ErrorMetric] = Field(
        min_length=1, description="Metrics that enter the mean relative gain."
    )
    published_gain: float = Field(description="The paper's mean relative gain, percent.")
    overlays: int = Field(ge=1, description="Pictures of each test set in the overlay figure.")
    samples: int = Field(ge=1, description="Pictures of each kind in the sample figure.")
    bins: int = Field(ge=2, description="Bins of histograms.")
