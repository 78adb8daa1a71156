"""Readers of body models: SMPL, SMPL-H and SMPL-X, as npz and as pickle."""

import pickle

import numpy as np
import scipy.sparse
from tiny_body import smpl_arrays

from fuzz.reader import Reader
from poseloop.body.collapse import JOINT_COUNTS
from poseloop.body.joints import PARENTS
from poseloop.body.model import load_body


def _arrays(kind):
    """A body of one vertex at each joint."""
    count = JOINT_COUNTS[kind]
    joints = np.random.default_rng(0).normal(0, 0.4, (count, 3))
    fingers = (*PARENTS[:22], *range(21, count - 1))
    arrays = smpl_arrays(joints, PARENTS if kind == "smpl" else fingers, 3)
    for name in ("v_template", "shapedirs", "posedirs", "weights"):
        arrays[name] = arrays[name][::6]
    arrays["J_regressor"] = arrays["J_regressor"][:, ::6]
    return arrays | {"f": np.array([[0, 1, 2], [2, 1, 3]], np.uint32)}


def _npz(kind):
    def make(folder):
        np.savez(folder / "body.npz", **_arrays(kind), hands_meanl=np.zeros(45))

    return make


def _pkl(kind):
    def make(folder):
        arrays = _arrays(kind)
        arrays["J_regressor"] = scipy.sparse.csc_matrix(arrays["J_regressor"])
        (folder / "body.pkl").write_bytes(pickle.dumps(arrays | {"bs_type": "lrotmin"}, protocol=2))

    return make


def _read(kind, name):
    return lambda folder: load_body(folder / name, kind)().joints


READERS = tuple(
    Reader(f"body-{kind}-{suffix}", make(kind), _read(kind, f"body.{suffix}"), (f"*.{suffix}",))
    for kind in JOINT_COUNTS
    for suffix, make in (("npz", _npz), ("pkl", _pkl))
)
