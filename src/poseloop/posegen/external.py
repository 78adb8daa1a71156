"""A user's own estimator: a Python callable or a command that reads pictures and writes joints.

The protocol: N pictures (N, S, S, 3) uint8 RGB go in; joints (N, 24, 3) come out, metres, in SMPL's
order, camera frame (x right, y up, z towards the camera), any origin: only joints relative to the
pelvis count. A command gets the paths of two files as its last arguments: an npz with the array
`rgb` to read, and an npz to write with the array `joints`.
"""

import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from poseloop.runtime.errors import UserError
from poseloop.runtime.files import read_npz, write_npz

Callback = Callable[[np.ndarray], np.ndarray]


def from_callable(estimate: Callback, name: str) -> Callable[[np.ndarray], Tensor]:
    """The callable, its answer checked and relative to the pelvis.

    Raises
    ------
    UserError
        When called: the answer is no (N, 24, 3) array of finite numbers; `name` is named.
    """

    def checked(rgb: np.ndarray) -> Tensor:
        joints = np.asarray(estimate(rgb))
        if joints.shape != (len(rgb), 24, 3):
            raise UserError(
                f"{name}: returned joints of the shape {joints.shape}, not ({len(rgb)}, 24, 3)"
            )
        if not np.issubdtype(joints.dtype, np.number) or not np.isfinite(joints).all():
            raise UserError(f"{name}: returned joints that are not finite numbers")
        joints = torch.from_numpy(joints.astype(np.float32))
        return joints - joints[:, :1]

    return checked


def from_command(command: list[str], limit_seconds: float) -> Callable[[np.ndarray], Tensor]:
    """An estimator that is a program; see the module for what it reads and writes.

    Raises
    ------
    UserError
        When called: the program is not there, fails, takes too long, or writes something else.
    """
    name = command[0]

    def estimate(rgb: np.ndarray) -> np.ndarray:
        with tempfile.TemporaryDirectory() as folder:
            pictures, joints = Path(folder) / "rgb.npz", Path(folder) / "joints.npz"
            write_npz(pictures, {"rgb": rgb})
            try:
                done = subprocess.run(
                    [*command, str(pictures), str(joints)],
                    capture_output=True,
                    text=True,
                    timeout=limit_seconds,
                )
            except (OSError, subprocess.TimeoutExpired) as fault:
                raise UserError(f"{name}: {fault}") from fault
            if done.returncode:
                last = (done.stderr.strip().splitlines() or ["no message"])[-1]
                raise UserError(f"{name}: ended with {done.returncode}: {last}")
            return read_npz(joints, "joints")["joints"]

    return from_callable(estimate, name)
