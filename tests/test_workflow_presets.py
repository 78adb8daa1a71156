"""The workflow's command line: presets, faults of the user, partial targets."""

import re

import pytest
from workflow_clone import ROOT, Clone

PRESETS = sorted({path.parent.name for path in (ROOT / "config").glob("*/*.yaml")})


@pytest.fixture(scope="module")
def clone(tmp_path_factory) -> Clone:
    """A clone without results."""
    return Clone(tmp_path_factory.mktemp("clone"))


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_plans_the_whole_chain_and_the_targets_outside_it(clone, preset):
    outside = ["drpose_carving", "drpose_family", "drpose_ablations"]
    planned = clone.planned("all", *outside, "--config", f"preset={preset}")
    loops = {"bake_body", "finetune_drpose", "drpose_table", "adhmr_tables", "posegen_table"}
    assert loops | set(outside) <= set(planned)


def test_posegen_plans_a_loop_for_every_estimator_and_seed_and_nothing_of_drpose(clone):
    planned = clone.planned("posegen", "--config", "preset=demo")
    # The main methods on both estimators, the ablations on one.
    assert planned["posegen_run_loop"] == 3 * 5
    assert planned["posegen_train_estimator"] == 3
    assert planned["posegen_evaluate"] == planned["posegen_train_field"] == 2
    assert not {"render_scans", "train_multiview", "finetune_drpose"} & set(planned)


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("preset=nope", "error: --config preset=nope: unknown preset; there are "),
        ("prest=smoke", "error: --config: unknown key(s) prest; "),
    ],
)
def test_unknown_preset_or_key_is_one_line_and_exit_code_2(clone, option, message):
    done = clone.call("snakemake", "all", "--config", option, check=False)
    assert done.returncode == 2
    [line] = [line for line in done.stderr.splitlines() if line.startswith("error")]
    assert line.startswith(message)
    assert "Traceback" not in done.stderr
    assert not (clone.folder / "results").exists()


def test_typo_in_the_study_names_field_and_file(tmp_path):
    clone = Clone(tmp_path)
    path = tmp_path / "config/smoke/study.yaml"
    path.write_text(path.read_text().replace("seeds:", "sedes:"))
    done = clone.call("snakemake", "all", "--config", "preset=smoke", check=False)
    assert done.returncode == 2
    assert "error: config/smoke/study.yaml: " in done.stderr
    assert "sedes: Extra inputs" in done.stderr


def test_partial_target_plans_only_what_it_needs(clone):
    planned = clone.planned("fig_pose_diversity")
    assert "select_poses" in planned
    assert "train_multiview" not in planned


def test_seeds_methods_and_benchmarks_come_from_the_study(tmp_path):
    clone = Clone(tmp_path)
    (tmp_path / "config/mine").mkdir()
    text = (tmp_path / "config/demo/study.yaml").read_text()
    text = re.sub(r"^seeds: .*$", "seeds: [0, 1, 2, 3, 4]", text, flags=re.MULTILINE)
    text = re.sub(r"^(  drpose_paper|trained_once): .*\n", "", text, flags=re.MULTILINE)
    (tmp_path / "config/mine/study.yaml").write_text(text)
    planned = clone.planned("--config", "preset=mine")
    assert planned["finetune_drpose"] == 5
    assert planned["generate"] == 10


def test_gpu_that_is_insisted_on_and_not_there_stops_the_run_before_any_job(tmp_path):
    clone = Clone(tmp_path)
    path = tmp_path / "config/smoke/judge.yaml"
    path.write_text(path.read_text().replace("device: auto", "device: cuda"))
    command = ["snakemake", "train_judge", "--config", "preset=smoke", "--resources", "gpu=0"]
    for _ in range(2):  # the second call finds no lock
        done = clone.call(*command, check=False)
        assert done.returncode == 2
        [line] = [line for line in done.stderr.splitlines() if line.startswith("error")]
        assert line.startswith("error: config/smoke/judge.yaml: device: cuda is asked for and rule")
        assert "Traceback" not in done.stderr
    assert not (tmp_path / "results").exists()
