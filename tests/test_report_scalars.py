"""Training logs for TensorBoard: which files are logs, and what its own reader gives back."""

import sys

import pytest

from poseloop.__main__ import main
from poseloop.multiview.fitting import write_log
from poseloop.report.scalars import training_logs, write_scalars
from poseloop.runtime.errors import UserError

ROWS = [
    {"step": 0, "validation": 0.5},
    {"step": 1, "loss": 2.0},
    {"step": 2, "loss": 1.25, "validation": 0.25},
]
OTHERS = {
    "tables/t.csv": "benchmark,metric\na,b\n",
    "hacking/drtune/seed0.csv": "step,set,value\n0,a,1\n0,b,2\n",
    "adhmr/again.csv": "step,value\n0,1\n0,2\n",
    "empty.csv": "step,loss\n",
}


@pytest.fixture
def results(tmp_path, monkeypatch):
    """Two training logs among other tables, as results of the demo preset."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config/demo").mkdir(parents=True)
    (tmp_path / "config/demo/study.yaml").write_text("")
    folder = tmp_path / "results/demo"
    for name, text in OTHERS.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    write_log(folder / "drpose/drpose/seed0/log.csv", ROWS)
    write_log(folder / "adhmr/tuned/dpo/seed1.csv", ROWS[:2])
    return folder


def test_logs_are_found_among_other_tables_and_named_by_their_place(results):
    logs = training_logs(results)
    assert list(logs) == ["adhmr/tuned/dpo/seed1", "drpose/drpose/seed0"]
    log = logs["drpose/drpose/seed0"]
    assert list(log.index) == [0, 1, 2] and list(log["loss"].dropna()) == [2.0, 1.25]


def test_no_log_and_no_table_are_named(results, tmp_path):
    with pytest.raises(UserError, match="nowhere: no training log"):
        training_logs(tmp_path / "nowhere")
    (results / "broken.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match="broken.csv: not a CSV file"):
        training_logs(results)


def test_tensorboard_reads_what_was_written(results, tmp_path, monkeypatch, capsys):
    pytest.importorskip("tensorboard", reason="tensorboard is not installed")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    monkeypatch.setattr(sys, "argv", ["poseloop", "scalars"])
    main()
    assert "2 runs: tensorboard --logdir logs/demo/tensorboard" in capsys.readouterr().out
    events = EventAccumulator(str(tmp_path / "logs/demo/tensorboard/drpose/drpose/seed0"))
    events.Reload()
    assert set(events.Tags()["scalars"]) == {"loss", "validation"}
    read = {tag: [(e.step, e.value) for e in events.Scalars(tag)] for tag in ("loss", "validation")}
    assert read == {"loss": [(1, 2.0), (2, 1.25)], "validation": [(0, 0.5), (2, 0.25)]}


def test_equal_logs_give_equal_bytes_and_a_longer_one_takes_their_place(results, tmp_path):
    pytest.importorskip("tensorboard", reason="tensorboard is not installed")
    for folder in ("a", "b"):
        write_scalars(results, tmp_path / folder)
    files = {
        folder: {
            path.relative_to(tmp_path / folder): path.read_bytes()
            for path in (tmp_path / folder).rglob("*")
            if path.is_file()
        }
        for folder in ("a", "b")
    }
    assert len(files["a"]) == 2 and files["a"] == files["b"]
    write_log(results / "adhmr/tuned/dpo/seed1.csv", ROWS)
    write_scalars(results, tmp_path / "a")
    one, other = (path.read_bytes() for path in sorted((tmp_path / "a").rglob("events*")))
    assert one == other


def test_without_tensorboard_the_message_says_how_to_get_it(results, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboard.compat.proto.event_pb2", None)
    with pytest.raises(UserError, match="pip install tensorboard"):
        write_scalars(results, tmp_path / "a")
    assert not list(tmp_path.glob("a/**/*events*"))
