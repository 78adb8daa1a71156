"""Rooms import downwards, and the labels of the wild pictures stay out of the loop."""

import ast
import re
from pathlib import Path

import pytest
import yaml
from workflow_clone import Clone

from poseloop.hmr.image_config import ImageSetsConfig
from poseloop.hmr.study import AdhmrStudyConfig
from poseloop.hmr.tune_config import TuneConfig
from poseloop.motion.config import MotionConfig
from poseloop.runtime import study
from poseloop.runtime.config import load_config

ROOT = Path(__file__).resolve().parents[1]
ROOMS = "runtime body motion render data multiview reward reconstruct hmr posegen evaluate report"
PRESETS = ("demo", "smoke")


@pytest.fixture(autouse=True)
def _root(monkeypatch):
    monkeypatch.chdir(ROOT)


def imports(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("poseloop."):
            yield node.module.split(".")[1]


@pytest.mark.parametrize("path", sorted(ROOT.glob("src/poseloop/hmr/*.py")), ids=lambda p: p.stem)
def test_the_hmr_room_imports_rooms_below_it(path):
    below = ROOMS.split()[: ROOMS.split().index("hmr") + 1]
    assert set(imports(path)) <= set(below)


def rule_blocks():
    text = (ROOT / "workflow/rules/adhmr.smk").read_text()
    return dict(re.findall(r"^rule (\w+):\n(.*?)(?=^rule |\Z)", text, re.DOTALL | re.MULTILINE))


def test_only_the_scorers_measurement_takes_labels_of_the_wild_pictures():
    """Other rules take labels of named sets, none of which is the wild one, or of a labelled
    source, and no labelled source has the wild pictures."""
    blocks = rule_blocks()
    naming = {name for name, block in blocks.items() if re.search(r"labels.*ADHMR\.wild", block)}
    assert naming == {"evaluate_scorer"}
    # Nothing that trains or pairs reads what that rule writes.
    readers = {n for n, block in blocks.items() if "rules.evaluate_scorer" in block}
    assert readers == {"adhmr_tables", "fig_adhmr_scorer"}
    for preset in PRESETS:
        lists = load_config(study.config_file(preset, "adhmr_study"), AdhmrStudyConfig)
        others = {lists.base_images, lists.scorer_images, lists.validation_images, lists.cleaned}
        assert lists.wild not in others | set(lists.evaluation)
        content = yaml.safe_load(Path(study.config_file(preset, "hmr_preferences")).read_text())
        kinds = {s["kind"] for s in content["sources"].values() if s["images"] == lists.wild}
        assert kinds == {"scored"}


@pytest.mark.parametrize("preset", PRESETS)
def test_evaluation_shares_no_clip_and_no_body_with_training(preset):
    motion = load_config(study.config_file(preset, "motion"), MotionConfig)
    sets = load_config(study.config_file(preset, "hmr_images"), ImageSetsConfig).sets
    lists = load_config(study.config_file(preset, "adhmr_study"), AdhmrStudyConfig)
    for name in (lists.base_images, lists.scorer_images, lists.wild):
        assert sets[name].motion.splits == ("train",)
        assert not set(sets[name].motion.clips) & {*motion.splits.val, *motion.splits.test}
    assert sets[lists.validation_images].motion.splits == ("val",)
    for name in lists.evaluation:
        assert sets[name].motion.splits == ("test",)
        assert set(sets[name].motion.clips) <= set(motion.splits.test)
    streams = [entry.people.stream for entry in sets.values()]
    assert len(set(streams)) == len(streams)


@pytest.mark.parametrize("preset", PRESETS)
def test_the_study_names_what_other_files_describe(preset):
    lists = load_config(study.config_file(preset, "adhmr_study"), AdhmrStudyConfig)
    tune = load_config(study.config_file(preset, "adhmr"), TuneConfig)
    sets = load_config(study.config_file(preset, "hmr_images"), ImageSetsConfig).sets
    assert set(lists.variants) <= set(tune.variants)
    assert set(lists.image_sets) <= set(sets)
    if preset == "demo":
        assert len(tune.seeds) >= 3


def test_an_unknown_picture_set_is_told_before_any_job(tmp_path):
    clone = Clone(tmp_path / "clone")
    path = clone.folder / "config/smoke/adhmr_study.yaml"
    path.write_text(path.read_text().replace("cleaned: base_train", "cleaned: nothing"))
    ended = clone.call("snakemake", "adhmr", "-n", "--config", "preset=smoke", check=False)
    assert ended.returncode == 2 and "Traceback" not in ended.stderr
    assert "error: hmr_images.yaml: sets: no set 'nothing'; there are base_train" in ended.stderr
