"""Whether a SLURM cluster can run the jobs that are to be submitted, asked before the first one."""

import subprocess
from collections.abc import Iterable
from dataclasses import dataclass

from poseloop.runtime.errors import UserError
from poseloop.runtime.slurm_site import PartitionConfig

SINFO = ("sinfo", "--noheader", "--format=%P|%G|%c|%m|%l")


@dataclass(frozen=True)
class Partition:
    """The most that one node of a partition offers; `minutes` is None without a limit."""

    gpus: int
    cores: int
    mem_mb: int
    minutes: int | None
    default: bool = False


@dataclass(frozen=True)
class Request:
    """What a job asks for; without a `partition` it goes to whichever of the site's fits."""

    rule: str
    cores: int = 1
    gpus: int = 0
    mem_mb: int = 0
    minutes: int = 0
    partition: str | None = None


def query_partitions() -> dict[str, Partition]:
    """The cluster's partitions by name.

    Raises
    ------
    UserError
        There is no `sinfo`, or it fails.
    """
    try:
        done = subprocess.run(SINFO, capture_output=True, text=True, check=True, timeout=60)
    except FileNotFoundError:
        raise UserError("sinfo: not found; SLURM's commands are not on this machine") from None
    except subprocess.CalledProcessError as fault:
        raise UserError(f"sinfo: SLURM does not answer ({fault.stderr.strip()})") from None
    except subprocess.TimeoutExpired:
        raise UserError("sinfo: SLURM does not answer within 60 s") from None
    return parse_partitions(done.stdout)


def parse_partitions(text: str) -> dict[str, Partition]:
    """Partitions in the output of `SINFO`, one line per partition and kind of node.

    >>> parse_partitions("gpu|gpu:a100:4(S:0-1)|64|512000|2-00:00:00")["gpu"].gpus
    4
    """
    partitions: dict[str, Partition] = {}
    for line in text.splitlines():
        name, gres, cores, mem_mb, limit = line.split("|")
        default, name = name.endswith("*"), name.rstrip("*")
        # sinfo writes `64+` where nodes differ.
        node = Partition(
            _gpus(gres), int(cores.rstrip("+")), int(mem_mb.rstrip("+")), _minutes(limit), default
        )
        seen = partitions.get(name, node)
        partitions[name] = Partition(
            max(seen.gpus, node.gpus),
            max(seen.cores, node.cores),
            max(seen.mem_mb, node.mem_mb),
            node.minutes,
            default,
        )
    return partitions


def check_cluster(
    requests: Iterable[Request],
    partitions: dict[str, Partition],
    site: dict[str, PartitionConfig],
    source: str,
) -> None:
    """Every job finds a partition that exists and has what it asks for.

    `site` holds the partitions that jobs may go to, from the file `source`; without any, jobs go to
    the cluster's default partition.

    Raises
    ------
    UserError
        The first partition that the cluster does not have, or that has no GPU although the site
        says so; or the first job that no partition can take, with the reason of each.
    """
    for name, limits in site.items():
        _require(name, partitions, f"{source}: partitions.{name}")
        if limits.max_gpu > partitions[name].gpus:
            raise UserError(
                f"{source}: partitions.{name}.max_gpu: {limits.max_gpu}, but no node of this "
                f"partition has more than {partitions[name].gpus} GPU(s)"
            )
    for request in requests:
        if request.partition:
            _require(request.partition, partitions, f"rule {request.rule}: slurm_partition")
        names = [request.partition] if request.partition else list(site) or _default(partitions)
        faults = {name: _fault(request, partitions[name], site.get(name)) for name in names}
        if all(faults.values()):
            reasons = "; ".join(f"{name} has {fault}" for name, fault in faults.items())
            raise UserError(
                f"rule {request.rule}: no partition can run it: {reasons or 'none is the default'}"
            )


def _require(name: str, partitions: dict[str, Partition], where: str) -> None:
    if name not in partitions:
        raise UserError(f"{where}: SLURM has no partition {name}; it has {', '.join(partitions)}")


def _default(partitions: dict[str, Partition]) -> list[str]:
    return [name for name, partition in partitions.items() if partition.default]


def _fault(request: Request, partition: Partition, limits: PartitionConfig | None) -> str:
    """What a partition lacks for a job; empty if nothing."""
    limits = limits or PartitionConfig(max_gpu=partition.gpus)
    offers = {
        "GPU(s)": (request.gpus, partition.gpus, limits.max_gpu),
        "core(s)": (request.cores, partition.cores, limits.max_threads),
        "MB of memory": (request.mem_mb, partition.mem_mb, limits.max_mem_mb),
        "minutes": (request.minutes, partition.minutes, limits.max_runtime),
    }
    for unit, (wanted, *most) in offers.items():
        offered = min((limit for limit in most if limit is not None), default=wanted)
        if wanted > offered:
            return f"{offered} {unit}, not {wanted}"
    return ""


def _gpus(gres: str) -> int:
    """GPUs in a node's generic resources, as in `gpu:a100:4(S:0-1),gpu:t4:2,nvme:1`."""
    total = 0
    for entry in gres.split(","):
        name, *rest = entry.split("(")[0].split(":")
        if name == "gpu":
            total += int(rest[-1]) if rest and rest[-1].isdigit() else 1
    return total


def _minutes(limit: str) -> int | None:
    """Minutes of a time limit, as in `infinite`, `30:00`, `12:00:00` or `2-00:00:00`."""
    if limit in ("infinite", "n/a"):
        return None
    days, _, clock = limit.rpartition("-")
    hours, minutes, _ = ([0, 0] + [int(part) for part in clock.split(":")])[-3:]
    return (int(days or 0) * 24 + hours) * 60 + minutes
