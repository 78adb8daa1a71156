"""Checkpoints: what is restored, and what a damaged file does."""

import pytest
import torch

from poseloop.runtime import checkpoints
from poseloop.runtime.checkpoints import Checkpoints, run_key


@pytest.fixture
def saved(tmp_path, monkeypatch) -> Checkpoints:
    """A run that was killed after its second step."""
    monkeypatch.setattr(checkpoints, "SCRATCH", tmp_path)
    run = Checkpoints("train-0", every=2)
    run.save(2, lambda: {"weight": torch.ones(1000)})
    return run


def test_the_last_state_is_restored(saved):
    state = saved.restore()
    assert state["step"] == 2 and torch.equal(state["weight"], torch.ones(1000))
    saved.discard()
    assert saved.restore() is None


@pytest.mark.parametrize("form", ["empty", "zeros", "cut", "text"])
def test_a_damaged_checkpoint_starts_the_run_anew(saved, form, capsys):
    whole = saved.path.read_bytes()
    damaged = {
        "empty": b"",
        "zeros": b"\x00" * len(whole),
        "cut": whole[: len(whole) // 2],
        "text": b"not a checkpoint",
    }[form]
    saved.path.write_bytes(damaged)
    assert saved.restore() is None
    assert f"{saved.path}: a damaged checkpoint" in capsys.readouterr().err
    saved.save(4, lambda: {"weight": torch.zeros(1)})
    assert saved.restore()["step"] == 4


def test_every_file_of_a_folder_counts_for_the_key(tmp_path):
    body = tmp_path / "body" / "smpl"
    body.mkdir(parents=True)
    (body / "SMPL_NEUTRAL.npz").write_bytes(b"one")
    keys = [run_key(__file__, [tmp_path / "body"])]
    assert keys == [run_key(__file__, [body / "SMPL_NEUTRAL.npz"])]
    (body / "SMPL_NEUTRAL.npz").write_bytes(b"two")
    keys.append(run_key(__file__, [tmp_path / "body"]))
    (body / "SMPL_MALE.npz").write_bytes(b"three")
    keys.append(run_key(__file__, [tmp_path / "body"]))
    assert len(set(keys)) == 3
