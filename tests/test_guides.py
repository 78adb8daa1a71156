"""The guides' commands, run in a copy of the repository with small files where a user's would be.

A block ```bash is run as it stands. In a block ```bash dry every line is a call of Snakemake that
would take long: it is planned. Blocks with `slurm` need Snakemake's plugin.
"""

import os
import pickle
import re
import shutil
import time
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from test_motion_gltf import write_glb
from tiny_body import smpl_arrays
from tiny_captures import write_thuman
from tiny_data import make_clips
from tiny_motion import bvh_text
from tiny_posegen import SIZE, bounds_of, estimators_config, field_of, loop_config
from tiny_posegen import make_small_estimator as small_estimator
from workflow_clone import ROOT, Clone, planned_jobs

from poseloop.body.files import write_body
from poseloop.body.model import load_body
from poseloop.data.store import ViewSet
from poseloop.posegen.estimator_training import save_estimator, surface_body
from poseloop.posegen.generator_training import Gan
from poseloop.posegen.imageset import ImageSet
from poseloop.posegen.nerf_training import save_field
from poseloop.posegen.synthesis import FieldStudio
from poseloop.runtime.files import read_json, read_npz, write_json
from poseloop.runtime.weights import write_weights

DOCS = ROOT / "docs"
GUIDES = {path.stem: path for path in sorted(DOCS.glob("guides/*.md"))}
BLOCK = re.compile(r"^```(?P<kind>[^\n]+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
KINDS = {"bash", "bash dry", "bash slurm", "bash slurm dry"}


def blocks(name: str) -> list[tuple[str, str]]:
    """Kind and text of a guide's blocks."""
    return [(match["kind"], match["text"]) for match in BLOCK.finditer(GUIDES[name].read_text())]


def run_block(clone: Clone, kind: str, text: str) -> str:
    """What a block prints."""
    if kind.endswith("dry"):
        text = re.sub(r"^snakemake ", "snakemake --dry-run ", text, flags=re.MULTILINE)
    done = clone.call("bash", "-euo", "pipefail", "-c", text)
    return done.stdout + done.stderr


def run_guide(clone: Clone, name: str) -> str:
    """Run what needs no cluster; what it prints."""
    found = [(kind, text) for kind, text in blocks(name) if "slurm" not in kind]
    return "".join(run_block(clone, *block) for block in found)


@pytest.fixture
def clone(tmp_path) -> Clone:
    (tmp_path / "clone").mkdir()
    return Clone(tmp_path / "clone")


def give_body(clone: Clone, preset: str):
    """A small body where the workflow would bake the large one."""
    folder = clone.folder / "results" / preset / "body"
    write_body(folder, smpl_arrays())
    write_json(folder / "report.json", {})
    return load_body(folder)


def give_results(clone: Clone, *patterns: str) -> None:
    """Files of the demo results that git holds."""
    for pattern in patterns:
        found = sorted((ROOT / "results/demo").glob(pattern))
        assert found, pattern
        for path in found:
            target = clone.folder / path.relative_to(ROOT)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, target)


def commit(clone: Clone) -> None:
    author = ("-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
    clone.call("git", "add", "--force", ".")
    clone.call("git", *author, "commit", "--quiet", "-m", "All")


@pytest.mark.parametrize("name", GUIDES)
def test_a_guide_has_commands_to_run_and_no_block_that_is_not(name):
    kinds = [kind for kind, _ in blocks(name)]
    assert set(kinds) <= KINDS
    assert kinds.count("bash") >= 1
    for kind, text in blocks(name):
        if kind.endswith("dry"):
            assert all(line.startswith("snakemake ") for line in text.splitlines())
    assert GUIDES[name].read_text().count("```") == 2 * len(kinds)


def test_the_index_links_every_guide_and_every_link_leads_somewhere():
    for path in [DOCS / "README.md", *GUIDES.values()]:
        links = re.findall(r"\]\(([^)#]+)", path.read_text())
        assert all((path.parent / link).is_file() for link in links), path
        if path.name == "README.md":
            assert {Path(link).stem for link in links} == {*GUIDES, "README"}


@pytest.mark.parametrize("path", [DOCS / "README.md", *GUIDES.values()], ids=lambda path: path.stem)
def test_files_and_modules_that_a_guide_names_exist(path):
    prose = BLOCK.sub("", path.read_text())
    named = re.findall(r"`((?:config|scripts|src|profiles|tests|docs)/[\w./-]+)`", prose)
    missing = [name for name in named if not (ROOT / name).exists()]
    modules = re.findall(r"`(poseloop(?:\.\w+)+)`", prose)
    assert missing == [] and all(find_spec(module) for module in modules)
    assert set(re.findall(r"`(\w+\.yaml)`", prose)) <= {
        *(file.name for file in ROOT.glob("config/demo/*.yaml")),
    }


@pytest.mark.slow
def test_own_motion(clone):
    motion = clone.folder / "assets/motion"
    (motion / "mine").mkdir(parents=True)
    for seed, name in enumerate(("leap", "stroll")):
        (motion / f"mine/{name}.bvh").write_text(bvh_text(frames=8, seed=seed))
    for folder in ("aistpp/motions", "mixamo/gltf"):
        (motion / folder).mkdir(parents=True)
    write_glb(motion / "mixamo/gltf/wave.glb", rest=0.4)
    rng = np.random.default_rng(0)
    dance = {"smpl_poses": rng.normal(0, 0.3, (5, 72)), "smpl_trans": np.zeros((5, 3))}
    dance["smpl_scaling"] = np.array([90.0])
    (motion / "aistpp/motions/dance.pkl").write_bytes(pickle.dumps(dance))
    give_body(clone, "mine")
    printed = run_guide(clone, "own-motion")
    report = read_json(clone.folder / "results/mine/motion/report.json")
    assert (report["leap"]["split"], report["stroll"]["split"]) == ("test", "train")
    benchmark = ViewSet.load(clone.folder / "results/mine/benchmarks/leap_like.npz")
    assert set(benchmark.clip.tolist()) == {"leap"}
    assert planned_jobs(printed)["render_benchmark"] == 4  # the fifth was rendered above
    assert (motion / "aistpp/amass/dance.npz").is_file()
    assert (motion / "mixamo/bvh/wave.bvh").read_text().startswith("HIERARCHY")


@pytest.mark.slow
def test_own_scans(clone):
    body = give_body(clone, "mine")
    for number in range(3):
        write_thuman(clone.folder / "assets/scans/thuman", f"{number:04d}", body, number)
    printed = run_guide(clone, "own-scans")
    scans = ViewSet.load(clone.folder / "results/mine/scans/scanned_train.npz")
    assert scans.clip.tolist() == ["0000", "0001"]
    # scanned_val remains; thuman_train, val_ordinary and the judge's are rendered as ever.
    assert (
        planned_jobs(printed)["photograph_captures"],
        planned_jobs(printed)["render_scans"],
    ) == (1, 3)


@pytest.mark.slow
def test_own_estimator(clone, monkeypatch):
    monkeypatch.chdir(ROOT)
    body, results = give_body(clone, "smoke"), clone.folder / "results/smoke/posegen"
    config, entries = loop_config(), estimators_config().estimators
    field, betas, _ = field_of(body)
    compact = surface_body(body, 50)
    bounds, prior = bounds_of(make_clips(clone.folder / "clips.npz"))
    save_field(results / "nerf/parts.safetensors", field, betas, compact)
    check = small_estimator("check", compact)
    save_estimator(results / "estimators/check.safetensors", check, entries["check"], SIZE)
    gan = {f"seed0.{name}": value for name, value in Gan(config, bounds, 0).state_dict().items()}
    gan |= {"prior": prior, "starts": prior.clone()}
    write_weights(results / "generator.safetensors", gan, {"generator": [0]})
    studio = FieldStudio(field, betas, compact, SIZE, config.surface, 0.5, config.colour_jitter)
    for seed, name in enumerate(("ordinary", "validation")):
        drawn = bounds(0.5 * torch.randn((6, 76), generator=torch.Generator().manual_seed(seed)))
        rngs = [np.random.default_rng(number) for number in range(6)]
        studio.shoot(drawn, torch.arange(6) % 2, rngs).save(results / f"images/{name}.npz")
    run_guide(clone, "own-estimator")
    for name in ("hard", "hard_too"):
        hard = ImageSet.load(clone.folder / f"{name}.npz")
        assert 1 <= len(hard) == read_json(clone.folder / f"{name}.json")["kept"] <= 4
    both = [read_npz(clone.folder / f"{name}.npz")["rgb"] for name in ("hard", "hard_too")]
    assert np.array_equal(*both)


@pytest.mark.slow
def test_own_reward(clone):
    printed = run_guide(clone, "own-reward")
    assert "grad_fn" in printed
    # Two arms, one seed.
    assert planned_jobs(printed)["finetune_family"] == planned_jobs(printed)["generate_family"] == 2


@pytest.mark.slow
def test_an_ablation_runs_the_new_arm_alone(clone):
    """Empty files stand for those of a finished run."""
    before = clone.call("snakemake", "drpose_ablations", "--config", "preset=smoke", "--dry-run")
    wanted = re.findall(r"Missing output files: ([^;\n]+)", before.stdout + before.stderr)
    finish(clone, [path for paths in wanted for path in paths.split(", ")])
    add, run, tabulate = blocks("ablation")
    run_block(clone, *add)
    jobs = ("finetune_family", "generate_family", "evaluate_family")
    assert planned_jobs(run_block(clone, *run)) == dict.fromkeys(jobs, 1)
    ends = ("gradient_3/seed0/metrics.json", "metrics/gradient_3/seed0.json")
    finish(clone, [f"results/smoke/ablations/{end}" for end in ends])
    assert planned_jobs(run_block(clone, *tabulate)) == {"table_family": 1}


def finish(clone: Clone, paths: list[str]) -> None:
    """Make files, empty and all of one time."""
    now = time.time()
    for path in paths:
        (clone.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (clone.folder / path).touch()
        os.utime(clone.folder / path, (now, now))


@pytest.mark.slow
def test_one_figure(clone):
    give_results(clone, "poseset/diversity.json", "drpose/*/seed*/log.csv", "tables/*.csv")
    printed = run_guide(clone, "one-figure")
    for name in ("fig_pose_diversity", "fig_training"):
        figure = clone.folder / f"results/demo/figures/{name}.png"
        assert figure.read_bytes().startswith(b"\x89PNG")
    assert (clone.folder / "diversity.pdf").is_file()
    assert "rebuild: dvc repro --single-item --force drpose_table" in printed


@pytest.mark.slow
def test_two_runs(clone):
    give_results(clone, "tables/*.csv", "machine.json")
    commit(clone)
    printed = run_guide(clone, "two-runs")
    table = pd.read_csv(ROOT / "results/demo/tables/drpose_geometry.csv")
    chamfer = table[table["metric"] == "chamfer"].set_index(["benchmark", "method"])["mean"]
    mean = chamfer["mixamo_like", "DrPose"]
    change = rf"{mean:.10g} +12 +{re.escape(f'{12 - mean:+.4g}')}"
    assert re.search(rf"mixamo_like +chamfer +DrPose +base +{change}\b", printed)
    assert f"drpose_geometry: 0 of {len(chamfer)} cells differ, 0 verdict(s) flip" in printed
    assert "compare_with: ../before/results/demo" in printed


def test_slurm_without_a_cluster(clone):
    printed = run_guide(clone, "slurm")
    assert "account='my-project'" in printed and "'a100': PartitionConfig(max_gpu=1" in printed
    assert "workstation" in printed


@pytest.mark.slow
@pytest.mark.slurm
@pytest.mark.skipif(
    find_spec("snakemake_executor_plugin_slurm") is None,
    reason="Snakemake's plugin for SLURM is not installed: make slurm",
)
def test_slurm(clone):
    for kind, text in blocks("slurm"):
        printed = run_block(clone, kind, text)
        if "slurm" in kind:
            assert planned_jobs(printed)["finetune_drpose"] >= 1


def test_the_table_of_figures_says_what_git_holds():
    rows = re.findall(r"^\| (`fig.*) \|$", GUIDES["one-figure"].read_text(), re.MULTILINE)
    table = pd.DataFrame([row.split(" | ") for row in rows], columns=["figure", "from", "git"])
    named = set(re.findall(r"`(fig_\w+)`", " ".join(table["figure"])))
    rules = (ROOT / "workflow/rules/report.smk").read_text()
    assert named == set(re.findall(r"^rule (fig_\w+):", rules, re.MULTILINE))
