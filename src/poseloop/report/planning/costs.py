"""From work to hours, memory and disk, by measured rates."""

from dataclasses import dataclass

from poseloop.report.planning.config import CaseConfig, PlanningConfig
from poseloop.report.planning.hmr_sizes import load_hmr_sizes
from poseloop.report.planning.hmr_work import hmr_stages
from poseloop.report.planning.posegen_sizes import load_posegen_sizes
from poseloop.report.planning.posegen_work import posegen_stages
from poseloop.report.planning.sizes import load_sizes
from poseloop.report.planning.work import Stage, stages

_GB = 1e9
FIXED = "fixed"


@dataclass(frozen=True)
class Cost:
    """What a stage costs.

    Attributes
    ----------
    core_seconds : of one CPU core, networks included
    flops : operations of the networks, which a GPU can take over
    beside_gpu : core seconds that remain where a GPU runs the networks
    memory, disk : bytes; memory is one job's, on the CPU
    """

    name: str
    core_seconds: float
    flops: float
    beside_gpu: float
    memory: float
    disk: float


@dataclass(frozen=True)
class Plan:
    """All stages of a case."""

    case: CaseConfig
    costs: list[Cost]

    @property
    def core_hours(self) -> float:
        """On the CPU alone."""
        return sum(cost.core_seconds for cost in self.costs) / 3600

    @property
    def beside_gpu_hours(self) -> float:
        """Core hours where a GPU runs the networks."""
        return sum(cost.beside_gpu for cost in self.costs) / 3600

    def gpu_hours(self, config: PlanningConfig, card: str) -> float:
        """Hours of a card of the config for the networks' arithmetic."""
        rates = config.gpus[card]
        flops = sum(cost.flops for cost in self.costs)
        return flops / (rates.tflops * 1e12 * rates.utilisation) / 3600

    @property
    def memory_gb(self) -> float:
        """Of the largest job."""
        return max(cost.memory for cost in self.costs) / _GB

    @property
    def disk_gb(self) -> float:
        """Of all that is kept."""
        return sum(cost.disk for cost in self.costs) / _GB


def plan(case: CaseConfig, config: PlanningConfig) -> Plan:
    """Cost of every stage of a case: of all loops, or of DrPose on a released denoiser.

    Raises
    ------
    UserError
        A config file of the case is missing or invalid, or its resolution cannot grow.
    """
    listed = stages(load_sizes(case))
    if case.released is None:
        listed += hmr_stages(load_hmr_sizes(case))
        listed += posegen_stages(load_posegen_sizes(case))
    costs = [_cost(stage, config) for stage in listed]
    fixed = config.cpu.fixed
    return Plan(case, [*costs, Cost(FIXED, fixed, 0.0, fixed, config.memory.fixed * _GB, 0.0)])


def _cost(stage: Stage, config: PlanningConfig) -> Cost:
    cpu, memory, disk = config.cpu, config.memory, config.disk
    beside = (
        stage.jobs * (cpu.start_render if stage.rays else cpu.start)
        + stage.subjects * cpu.subject
        + stage.pictures * cpu.picture
        + stage.composed * cpu.composed
        + stage.rays / 1e6 * cpu.megaray
        + stage.measured_pixels / 1e6 * cpu.measure
    )
    networks = stage.flops / (cpu.gflops[stage.name] * 1e9) if stage.flops else 0.0
    networks += stage.field_pixels / 1e6 * cpu.field
    return Cost(
        stage.name,
        core_seconds=beside + networks,
        flops=stage.flops,
        beside_gpu=beside,
        memory=memory.start * _GB
        + stage.data
        + memory.copies * stage.pictures_in_memory
        + 4.0 * memory.tensors * stage.parameters
        + memory.activation * stage.batch_flops / 1e3,
        disk=stage.meshes * disk.mesh
        + stage.rendered_pixels * disk.rendered
        + stage.sampled_pixels * disk.sampled
        + stage.latents * disk.latent
        + 4.0 * stage.saved_parameters,
    )
