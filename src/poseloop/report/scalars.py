"""Training logs as TensorBoard's event files, one run per log."""

from pathlib import Path

import pandas as pd

from poseloop.runtime.errors import UserError
from poseloop.runtime.files import atomic_path

# As TensorBoard names the files that it looks for; no date, so that equal logs give equal files.
EVENTS = "events.out.tfevents.0.poseloop"


def read_training_log(path: Path) -> pd.DataFrame | None:
    """A log by `multiview.fitting.write_log`, indexed by step; None where a CSV is something else.

    A training log has a first column `step` that grows from row to row, and numbers alone.

    Raises
    ------
    UserError
        The file is no CSV.
    """
    try:
        log = pd.read_csv(path)
    except (ValueError, UnicodeDecodeError) as fault:
        raise UserError(f"{path}: not a CSV file ({fault})") from fault
    if log.empty or log.columns[0] != "step":
        return None
    numeric = all(map(pd.api.types.is_numeric_dtype, log.dtypes))
    if not numeric or not (log["step"].is_unique and log["step"].is_monotonic_increasing):
        return None
    return log.set_index("step")


def training_logs(results: Path) -> dict[str, pd.DataFrame]:
    """The logs below a preset's results, by the name of their run: drpose/drpose/seed0.

    Raises
    ------
    UserError
        There is none, or a CSV file cannot be read.
    """
    logs = {}
    for path in sorted(results.rglob("*.csv")):
        log = read_training_log(path)
        if log is not None:
            name = path.relative_to(results).with_suffix("")
            logs[(name.parent if name.name == "log" else name).as_posix()] = log
    if not logs:
        raise UserError(f"{results}: no training log here; `snakemake all` makes them")
    return logs


def write_events(path: Path, log: pd.DataFrame) -> None:
    """Write a log as one event file, atomically; an empty cell is left out.

    The wall time of every event is 0: a log has none, and equal logs give equal bytes.

    Raises
    ------
    UserError
        TensorBoard is not installed.
    """
    try:
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary
        from tensorboard.summary.writer.record_writer import RecordWriter
    except ImportError as fault:
        raise UserError(f"TensorBoard is needed: pip install tensorboard ({fault})") from fault
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        writer = RecordWriter(file)
        writer.write(Event(wall_time=0.0, file_version="brain.Event:2").SerializeToString())
        for step, row in log.iterrows():
            values = [
                Summary.Value(tag=name, simple_value=value) for name, value in row.dropna().items()
            ]
            event = Event(wall_time=0.0, step=int(step), summary=Summary(value=values))
            writer.write(event.SerializeToString())


def write_scalars(results: Path, folder: Path) -> list[str]:
    """Write every log below `results` to a folder for `tensorboard --logdir`.

    Returns
    -------
    names of the runs, which are folders in `folder`

    Raises
    ------
    UserError
        As `training_logs` and `write_events`.
    """
    logs = training_logs(results)
    for name, log in logs.items():
        write_events(folder / name / EVENTS, log)
    return list(logs)
