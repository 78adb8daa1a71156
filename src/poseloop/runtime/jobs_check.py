"""Faults of the machine that a workflow's jobs would meet, found before the first of them starts.

`workflow` and `job` are Snakemake's own objects; what is used of them is what an executor plugin
is given, and `workflow.dag`.
"""

from poseloop.runtime.errors import UserError
from poseloop.runtime.gpus import device_of
from poseloop.runtime.slurm_check import Request, check_cluster, query_partitions
from poseloop.runtime.slurm_site import load_site

SLURM = "snakemake_executor_plugin_slurm"


def check_jobs(workflow) -> None:
    """Every job that is to run gets the GPU that it insists on and, under SLURM, finds a partition.

    Raises
    ------
    UserError
        The first fault found.
    """
    jobs = [job for job in workflow.dag.needrun_jobs() if not job.rule.norun]
    check_devices(jobs)
    if type(workflow.executor_settings).__module__ == SLURM:
        source = workflow.executor_settings.partition_config
        site = load_site(source).partitions if source else {}
        requests = [request_of(job) for job in jobs if not job.is_local]
        check_cluster(requests, query_partitions(), site, str(source))


def check_devices(jobs) -> None:
    """A config file that insists on a GPU is of a job that gets one.

    Raises
    ------
    UserError
        `device: cuda` in the config file of a job whose GPU was capped away.
    """
    for job in jobs:
        # `gpu` is missing where a rule never uses a GPU, and 0 where the user allows none.
        if job.resources.get("gpu") == 0 and device_of(job.input.config) == "cuda":
            raise UserError(
                f"{job.input.config}: device: cuda is asked for and rule {job.rule.name} gets no "
                "GPU (none is there, or --resources gpu=0); set it to auto or cpu"
            )


def request_of(job) -> Request:
    """What a job asks of SLURM at its first attempt."""
    resources = job.resources
    return Request(
        rule=job.rule.name,
        cores=job.threads,
        gpus=resources.get("gpu", 0),
        mem_mb=resources.get("mem_mb", 0),
        minutes=resources.get("runtime", 0),
        partition=resources.get("slurm_partition"),
    )
