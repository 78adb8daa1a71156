"""What a cluster offers against what jobs ask for, and which jobs ask for a GPU."""

import shutil
from types import SimpleNamespace

import pytest
import yaml
import yte
from workflow_clone import ROOT

from poseloop.runtime.errors import UserError
from poseloop.runtime.gpus import gpus_of
from poseloop.runtime.jobs_check import check_devices
from poseloop.runtime.slurm_check import Partition, Request, check_cluster, parse_partitions
from poseloop.runtime.slurm_site import PartitionConfig, load_site, memory_of_rules

CPU, GPU = Partition(0, 8, 32000, 120, default=True), Partition(2, 16, 64000, None)
CLUSTER = {"cpu": CPU, "gpu": GPU}
SITE = {"cpu": PartitionConfig(), "gpu": PartitionConfig(max_gpu=2)}


def refused(*requests, site=SITE, cluster=CLUSTER):
    with pytest.raises(UserError) as fault:
        check_cluster(requests, cluster, site, "site.yaml")
    return str(fault.value)


def test_sinfo_is_read_over_kinds_of_nodes():
    text = (
        "cpu*|(null)|32|128000|2-12:30:00\n"
        "gpu|gpu:a100:4(S:0-1),nvme:1|64+|512000+|infinite\n"
        "gpu|gpu:t4:2,gpu:v100:1|16|64000|infinite\n"
        "short|gpu|1|1000|30:00"
    )
    assert parse_partitions(text) == {
        "cpu": Partition(0, 32, 128000, (2 * 24 + 12) * 60 + 30, default=True),
        "gpu": Partition(4, 64, 512000, None),
        "short": Partition(1, 1, 1000, 30),
    }


def test_jobs_that_fit_are_let_through():
    jobs = [Request("a", cores=8, mem_mb=32000, minutes=120), Request("b", gpus=2, minutes=10**6)]
    check_cluster(jobs, CLUSTER, SITE, "site.yaml")
    # Without a list of partitions a job goes to the default one, or to the one that it names.
    check_cluster([Request("a"), Request("b", gpus=1, partition="gpu")], CLUSTER, {}, "")


def test_partition_that_is_not_there_is_named():
    site = SITE | {"gpuu": PartitionConfig()}
    expected = "site.yaml: partitions.gpuu: SLURM has no partition gpuu; it has cpu, gpu"
    assert refused(site=site) == expected
    expected = "rule a: slurm_partition: SLURM has no partition big; it has cpu, gpu"
    assert refused(Request("a", partition="big")) == expected


def test_gpu_where_none_is_is_refused():
    expected = "rule a: no partition can run it: cpu has 0 GPU(s), not 1"
    assert refused(Request("a", gpus=1), site={"cpu": PartitionConfig()}) == expected
    assert refused(Request("a", gpus=1), site={}) == expected
    assert refused(Request("a", gpus=1, partition="cpu")) == expected
    assert "cpu.max_gpu: 1, but no node" in refused(site={"cpu": PartitionConfig(max_gpu=1)})


def test_every_limit_counts():
    site = {"gpu": PartitionConfig(max_gpu=1, max_threads=4, max_mem_mb=1000, max_runtime=60)}
    assert refused(Request("a", gpus=2), site=site).endswith("gpu has 1 GPU(s), not 2")
    assert refused(Request("a", cores=5), site=site).endswith("gpu has 4 core(s), not 5")
    assert refused(Request("a", mem_mb=1001), site=site).endswith("1000 MB of memory, not 1001")
    assert refused(Request("a", minutes=61), site=site).endswith("gpu has 60 minutes, not 61")
    assert "none is the default" in refused(Request("a"), site={}, cluster={"gpu": GPU})


def test_config_decides_whether_a_job_asks_for_a_gpu(tmp_path):
    file = tmp_path / "a.yaml"
    for device, gpus in (("auto", 1), ("cuda", 1), ("cpu", 0), (None, 0)):
        file.write_text(yaml.safe_dump({"steps": 1} | ({"device": device} if device else {})))
        assert gpus_of(file) == gpus
    file.write_text("device: auto\ncompute: {gpus: 2, precision: bfloat16}\n")
    assert gpus_of(file) == 2
    file.write_text("device: gpu\n")
    with pytest.raises(UserError, match=rf"{file}: device: .*'auto', 'cpu' or 'cuda'"):
        gpus_of(file)


def test_config_that_insists_on_a_gpu_is_refused_where_none_is_allowed(tmp_path):
    file = tmp_path / "a.yaml"
    file.write_text("device: cuda\n")
    inputs, rule = SimpleNamespace(config=file), SimpleNamespace(name="generate")
    for resources in ({"gpu": 1}, {}):
        check_devices([SimpleNamespace(resources=resources, input=inputs, rule=rule)])
    with pytest.raises(UserError, match=rf"{file}: device: cuda .* rule generate gets no GPU"):
        check_devices([SimpleNamespace(resources={"gpu": 0}, input=inputs, rule=rule)])


def test_memory_of_a_rule_is_its_own(tmp_path):
    (tmp_path / "a.smk").write_text(
        "rule all:\n    input:\n        'x',\n\n\nx = 1\n\n\n"
        "rule one:\n    output:\n        'x',\n    resources:\n        gpu=1,\n        mem_mb=5,\n"
        "    shell:\n        'true'\n\n\nlocalrules:\n    all,\n"
    )
    assert memory_of_rules(tmp_path) == {"one": 5}
    assert len(memory_of_rules(ROOT / "workflow/rules")) > 40


def test_site_of_the_profile_is_valid_and_a_typo_is_named(tmp_path):
    content = yaml.safe_load((ROOT / "profiles/slurm/site.yaml").read_text())
    assert load_site(ROOT / "profiles/slurm/site.yaml").partitions.keys() == {"cpu", "gpu"}
    content["partitions"]["gpu"] = {"max_gpus": 1}
    file = tmp_path / "site.yaml"
    file.write_text(yaml.safe_dump(content))
    with pytest.raises(UserError, match=rf"{file}: partitions.gpu.max_gpus"):
        load_site(file)


def profile(folder, **changes):
    """The profile as Snakemake reads it, with another site.yaml."""
    shutil.copytree(ROOT / "profiles", folder / "profiles")
    shutil.copytree(ROOT / "workflow", folder / "workflow")
    site = folder / "profiles/slurm/site.yaml"
    site.write_text(yaml.safe_dump(yaml.safe_load(site.read_text()) | changes))
    text = (folder / "profiles/slurm/config.yaml").read_text()
    return yte.process_yaml(text, require_use_yte=True)


def test_memory_and_time_grow_with_the_attempt_up_to_the_sites_limits(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    resources = profile(tmp_path, max_mem_mb=5000, max_runtime=2000)["set-resources"]

    def at(rule, attempt):
        values = resources[rule]
        return tuple(eval(values[name], {"attempt": attempt}) for name in ("mem_mb", "runtime"))

    assert [at("train_multiview", attempt) for attempt in (1, 2, 3)] == [
        (2000, 1440),
        (4000, 2000),
        (5000, 2000),
    ]
    assert at("bake_body", 1) == (2500, 120)


@pytest.mark.parametrize("account", [None, "lab"])
def test_account_is_given_if_there_is_one(tmp_path, monkeypatch, account):
    monkeypatch.chdir(tmp_path)
    assert profile(tmp_path, account=account)["default-resources"].get("slurm_account") == account
