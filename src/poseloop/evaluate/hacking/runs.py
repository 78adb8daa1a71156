"""The files that the measurement of a run writes and the report reads."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from poseloop.evaluate.hacking.config import StopConfig
from poseloop.evaluate.hacking.stop import choose_stop
from poseloop.runtime.errors import UserError
from poseloop.runtime.files import require_file

CHOOSING, REPORTING = "choosing", "reporting"
COLUMNS = ("step", "set", "part", "subject", "measure", "value")


def rows_of(
    step: int, name: str, table: Mapping[str, np.ndarray], choosing: int
) -> list[dict[str, object]]:
    """Rows of a run's file for one step and set.

    Parameters
    ----------
    table : mapping
        Measure to (N,) values.
    choosing : int
        The first so many subjects choose the stop.
    """
    return [
        {
            "step": step,
            "set": name,
            "part": CHOOSING if subject < choosing else REPORTING,
            "subject": subject,
            "measure": measure,
            "value": f"{value:.6g}",
        }
        for measure, values in table.items()
        for subject, value in enumerate(values)
    ]


def read_runs(paths: Iterable[Path]) -> pd.DataFrame:
    """Values of all runs {arm}/seed{seed}.csv, with the columns `arm` and `seed`.

    Raises
    ------
    UserError
        A file is missing, lacks a column, holds a value that is not finite, or has other steps,
        subjects or measures than the first one of its arm.
    """
    frames: list[pd.DataFrame] = []
    rows: dict[str, pd.DataFrame] = {}
    keys = [name for name in COLUMNS if name != "value"]
    for path in map(Path, paths):
        try:
            frame = pd.read_csv(require_file(path, "measurements"))
        except (ValueError, UnicodeDecodeError) as fault:
            raise UserError(f"{path}: not a CSV file ({fault})") from fault
        missing = [name for name in COLUMNS if name not in frame.columns]
        if missing:
            raise UserError(f"{path}: lacks the column(s) {', '.join(missing)}")
        values = pd.to_numeric(frame["value"], errors="coerce")
        if not np.isfinite(values).all():
            raise UserError(f"{path}: holds a value that is not a finite number")
        arm, seed = path.parent.name, path.stem.removeprefix("seed")
        if not frame[keys].equals(rows.setdefault(arm, frame[keys])):
            raise UserError(f"{path}: steps, subjects or measures differ from the arm's other seed")
        frames.append(frame.assign(arm=arm, seed=int(seed)))
    return pd.concat(frames, ignore_index=True)


def stops(runs: pd.DataFrame, config: StopConfig) -> dict[str, int]:
    """Chosen step of every arm, one for all seeds, by the choosing subjects; sets count alike."""
    chosen = runs[(runs["part"] == CHOOSING) & (runs["measure"] == config.measure)]
    by_set = chosen.groupby(["arm", "step", "set"], sort=False)["value"].mean()
    errors = by_set.groupby(["arm", "step"], sort=False).mean()
    return {arm: choose_stop(errors[arm].to_dict(), config) for arm in dict.fromkeys(chosen["arm"])}


def pivot(runs: pd.DataFrame, arm: str, step: int, measure: str, sets: list[str]) -> np.ndarray:
    """Values (seeds, subjects) of the reporting subjects of `sets`, one set after the other."""
    part = runs[
        (runs["arm"] == arm)
        & (runs["step"] == step)
        & (runs["measure"] == measure)
        & (runs["part"] == REPORTING)
        & runs["set"].isin(sets)
    ]
    return part.pivot(index="seed", columns=["set", "subject"], values="value").to_numpy()
