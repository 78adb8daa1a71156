"""Sets in several files: the same people, whatever the number of files."""

import dataclasses

import numpy as np
import pytest
from tiny_data import make_body, make_clips, scans_config, view_set
from workflow_clone import Clone

from poseloop.data import posing, shards
from poseloop.data.scans import make_view_set
from poseloop.runtime.errors import UserError

FACES = "faces"


def config(subjects=11, count=3):
    return scans_config(train=view_set(subjects=subjects, shards=count), other=view_set("other"))


@pytest.fixture
def small_batches(monkeypatch):
    monkeypatch.setattr(posing, "POSED_TOGETHER", 2)


@pytest.mark.usefixtures("small_batches")
def test_shards_together_are_the_whole_set(tmp_path):
    material = make_body(tmp_path / "body"), make_clips(tmp_path / "clips.npz")
    whole, about = make_view_set(config(count=1), "train", *material)
    stems = shards.files_of(config(), ["train"])
    assert stems == ["train.0000", "train.0001", "train.0002"]
    parts = [make_view_set(config(), stem, *material) for stem in stems]
    assert [len(part.joints) for part, _ in parts] == [4, 4, 3]
    for field in dataclasses.fields(whole):
        found = [getattr(part, field.name) for part, _ in parts]
        shared = field.name in (FACES, "azimuths")
        joined = found[0] if shared else np.concatenate(found)
        np.testing.assert_array_equal(joined, getattr(whole, field.name), field.name)
    assert sum(part["subjects"] for _, part in parts) == about["subjects"]
    assert {part["people_stream"] for _, part in parts} == {"train"}


def test_files_name_their_set():
    assert shards.files_of(config(), ["other", "captured"]) == ["other", "captured"]
    assert shards.set_of("results/scans/train.0002.npz") == "train"
    assert shards.set_of("results/scans/other.npz") == "other"


@pytest.mark.usefixtures("small_batches")
@pytest.mark.parametrize(
    ("subjects", "count", "stem", "message"),
    [
        (11, 3, "train", "train has no file 'train': its shards are 3"),
        (11, 3, "train.0003", "train has no file 'train.0003'"),
        (3, 3, "train.0000", "train.shards: 3 for 3 subjects; a shard holds at least 2"),
        (11, 3, "nobody.0000", "no set 'nobody'; there are train, other"),
    ],
)
def test_a_file_that_the_config_does_not_have_is_named(subjects, count, stem, message):
    with pytest.raises(UserError, match=message):
        shards.shard_of(config(subjects, count), stem, posing.POSED_TOGETHER)


def test_the_workflow_makes_a_job_of_each_shard_and_splits_training_sets_only(tmp_path):
    clone = Clone(tmp_path)
    plain = clone.planned("all", "--config", "preset=smoke")
    path = tmp_path / "config/smoke/scans.yaml"
    text = path.read_text()

    def split(name, count):
        start = text.index(f"  {name}:\n") + len(f"  {name}:\n")
        path.write_text(f"{text[:start]}    shards: {count}\n{text[start:]}")

    split("thuman_train", 5)
    planned = clone.planned("all", "--config", "preset=smoke")
    assert planned["render_scans"] == plain["render_scans"] + 4
    assert {rule: count for rule, count in planned.items() if rule != "render_scans"} == {
        rule: count for rule, count in plain.items() if rule != "render_scans"
    }
    listed = clone.call("snakemake", "train_autoencoder", "--config", "preset=smoke", "-n", "-p")
    assert "scans/thuman_train.0000.npz" in listed.stdout + listed.stderr
    split("val_dynamic", 2)
    done = clone.call("snakemake", "all", "--config", "preset=smoke", "-n", check=False)
    assert done.returncode == 2
    assert "val_dynamic.shards: only training sets can be split" in done.stderr
