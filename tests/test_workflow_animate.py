"""The workflow's target of the image-animation model, which `all` leaves out."""

import pytest
from workflow_clone import ROOT, Clone

from poseloop.data.clip_config import ClipSetsConfig
from poseloop.data.config import PoseSetConfig, ViewSetsConfig
from poseloop.runtime import study
from poseloop.runtime.config import load_config

JOBS = {
    "render_clips": 3,
    "train_animator": 1,
    "train_checker": 1,
    "animate": 2,
    "check_frames": 1,
    "table_animate": 1,
    "fig_animate": 1,
    "drpose_animate": 1,
}
PRESETS = ("demo", "smoke", "workstation")


@pytest.fixture(scope="module")
def clone(tmp_path_factory) -> Clone:
    return Clone(tmp_path_factory.mktemp("clone"))


@pytest.mark.parametrize("preset", PRESETS)
def test_the_target_plans_its_jobs(clone, preset):
    planned = clone.planned("drpose_animate", "--config", f"preset={preset}")
    assert {rule: planned.get(rule) for rule in JOBS} == JOBS
    # Frames are drawn without the multi-view model, and never by the reward.
    assert not {"train_multiview", "train_posescore", "finetune_drpose"} & set(planned)


def test_all_plans_none_of_them(clone):
    assert not set(JOBS) & set(clone.planned("--config", "preset=smoke"))


@pytest.mark.parametrize("preset", PRESETS)
def test_training_and_measurement_share_neither_people_nor_clips(preset, monkeypatch):
    monkeypatch.chdir(ROOT)
    clips = load_config(study.config_file(preset, "animate_clips"), ClipSetsConfig)
    poseset = load_config(study.config_file(preset, "poseset"), PoseSetConfig)
    scans = load_config(study.config_file(preset, "scans"), ViewSetsConfig)
    lists = study.load_study(preset)
    training = {scans.sets[name].people.stream for name in lists.training_scans}
    assert clips.train.people.stream in training
    assert clips.train.splits == ("train",)
    others = {entry.people.stream for entry in scans.sets.values()} | {poseset.people.stream}
    assert clips.held_out.people.stream not in others
    assert clips.seed == scans.seed
    assert clips.picture.size == scans.picture.size
    assert clips.frames > poseset.selection.neighbours
