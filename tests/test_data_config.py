from pathlib import Path

import pytest

from poseloop.data.config import PoseSetConfig, ViewSetsConfig
from poseloop.motion.config import MotionConfig
from poseloop.runtime.config import load_config
from poseloop.runtime.study import config_file

PRESETS = ("demo", "smoke", "workstation")


@pytest.mark.parametrize("preset", PRESETS)
def test_no_two_sets_of_a_preset_share_people(preset):
    streams = [load_config(config_file(preset, "poseset"), PoseSetConfig).people.stream]
    for concern in ("scans", "benchmarks"):
        config = load_config(config_file(preset, concern), ViewSetsConfig)
        streams += [entry.people.stream for entry in config.sets.values()]
    assert len(streams) == len(set(streams))


@pytest.mark.parametrize("preset", PRESETS)
def test_benchmarks_take_test_clips_and_nothing_else_does(preset):
    splits = load_config(config_file(preset, "motion"), MotionConfig).splits
    benchmarks = load_config(config_file(preset, "benchmarks"), ViewSetsConfig)
    for entry in benchmarks.sets.values():
        assert entry.motion.splits == ("test",)
        assert set(entry.motion.clips) <= set(splits.test)
    scans = load_config(config_file(preset, "scans"), ViewSetsConfig)
    for name, entry in scans.sets.items():
        assert "test" not in entry.motion.splits
        assert not set(entry.motion.clips) & set(splits.test)
        if name.endswith("_train"):
            assert entry.motion.splits == ("train",)
    poseset = load_config(config_file(preset, "poseset"), PoseSetConfig)
    assert poseset.selection.splits == ("train",)


def test_every_field_is_described():
    for model in (ViewSetsConfig, PoseSetConfig):
        waiting = [model]
        while waiting:
            for name, field in waiting.pop().model_fields.items():
                kind = field.annotation
                if isinstance(kind, type) and hasattr(kind, "model_fields"):
                    waiting.append(kind)
                    assert kind.__doc__
                else:
                    assert field.description or name == "sets", name


def test_configs_are_in_their_folders():
    for preset in PRESETS:
        for concern in ("scans", "poseset", "benchmarks"):
            assert Path(f"config/{preset}/{concern}.yaml").is_file()
