"""Configuration of plans: rates of a machine, and whole runs that were measured on it."""

from typing import Annotated

from pydantic import Field

from poseloop.runtime.config import Config

Rate = Annotated[float, Field(gt=0)]
Amount = Annotated[float, Field(ge=0)]


class CpuRates(Config):
    """Rates of one core."""

    start: Rate = Field(description="Seconds of a job with networks before its work: imports.")
    start_render: Rate = Field(description="Seconds of a rendering job before its work.")
    fixed: Rate = Field(description="Seconds of the jobs whose work no size changes, together.")
    gflops: dict[str, Rate] = Field(
        description="GFLOP/s of each stage that runs networks, in training or not."
    )
    subject: Rate = Field(description="Seconds to pose and dress a rendered subject.")
    picture: Rate = Field(description="Seconds of a rendered view, whatever its resolution.")
    composed: Rate = Field(
        description="Seconds of a picture of one person before a background, without its rays."
    )
    megaray: Rate = Field(description="Seconds of a million rays.")
    field: Rate = Field(description="Seconds of a million pixels of the fast articulated field.")
    measure: Rate = Field(description="Seconds of metrics per million pixels of sampled views.")


class GpuRates(Config):
    """A card on which all networks run."""

    tflops: Rate = Field(description="Its rate on large matrix products, TFLOP/s.")
    utilisation: float = Field(
        gt=0, le=1, description="Share of that rate that training and sampling reach."
    )
    measured: bool = Field(description="Whether `utilisation` was measured; else it is assumed.")


class MemoryRates(Config):
    """Memory of one process."""

    start: Rate = Field(description="GB of a process that has imported what it needs.")
    fixed: Rate = Field(description="GB of the largest job whose work no size changes.")
    copies: Rate = Field(description="Copies of the largest set's pictures while it is encoded.")
    tensors: Rate = Field(
        description="Tensors per parameter in training: weights, average, gradient, two moments."
    )
    activation: Rate = Field(
        description="Bytes kept for the backward pass per thousand operations of a forward pass."
    )


class DiskRates(Config):
    """Bytes on disk, compressed as they are written."""

    mesh: Rate = Field(description="Of a subject's mesh; half of it in half precision.")
    rendered: Rate = Field(description="Per pixel of a rendered picture.")
    sampled: Rate = Field(
        description="Per pixel of a sampled picture, or of one before a background."
    )
    latent: Rate = Field(description="Per number of a latent, which is stored in half precision.")


class MeasuredRun(Config):
    """What a whole run of a preset took, for checks of the plan."""

    preset: str = Field(description="Preset that was run.")
    core_seconds: dict[str, Amount] = Field(description="CPU seconds by stage, over all its jobs.")
    memory_mb: dict[str, Amount] = Field(
        description="Largest resident memory of a job of the stage, MB."
    )
    disk_mb: dict[str, Amount] = Field(description="MB of files by stage.")


class CaseConfig(Config):
    """A row of the table: a preset, as it is or grown."""

    preset: str = Field(description="Preset.")
    released: str | None = Field(
        None, description="Config of a released denoiser that takes the place of the base."
    )
    subjects: Rate = Field(
        1.0, description="Factor on subjects, poses and pictures, but the judge's."
    )
    size: int = Field(1, ge=1, description="Factor on the side of pictures.")
    views: Rate = Field(1.0, description="Factor on views.")
    seeds: Rate = Field(1.0, description="Factor on seeds.")
    steps: Rate = Field(1.0, description="Factor on steps of fine-tuning.")


def times(value: int, factor: float) -> int:
    """A count that a factor of a case has made larger or smaller; at least 1."""
    return max(1, round(value * factor))


class PlanningConfig(Config):
    """planning.yaml."""

    cpu: CpuRates = Field(description="Rates of one core.")
    gpus: dict[str, GpuRates] = Field(description="Cards by name.")
    memory: MemoryRates = Field(description="Memory.")
    disk: DiskRates = Field(description="Disk.")
    measured: list[MeasuredRun] = Field(description="Measured runs.")
    cases: list[CaseConfig] = Field(min_length=1, description="Rows of the table.")
