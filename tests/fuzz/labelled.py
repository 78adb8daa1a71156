"""Readers of labelled sets: for the HMR loop, and the real test sets of the adversary's."""

import pickle

import numpy as np
import pandas as pd
import test_hmr_formats as hmr
import test_posegen_real as real
from PIL import Image
from tiny_body import smpl_arrays

from fuzz.reader import Reader
from poseloop.body.model import BodyModel
from poseloop.hmr.annotations import cut_out
from poseloop.hmr.formats import read_3dpw, read_h36m, read_humandata
from poseloop.posegen.real.agora import read_agora
from poseloop.posegen.real.mpi_inf_3dhp import read_mpi_inf_3dhp
from poseloop.posegen.real.ski_pose import read_ski_pose
from poseloop.posegen.real.threedpw import read_threedpw

_SIZE = 16


def _body():
    extra = {"parts": np.zeros(144, np.int8), "regions": np.zeros(144, np.int8)}
    return BodyModel(smpl_arrays() | extra)


_BODY = _body()


def _people():
    rng = np.random.default_rng(0)
    return {
        "pose": rng.normal(0, 0.2, (hmr.FRAMES, 72)),
        "trans": rng.normal(0, 0.1, (hmr.FRAMES, 3)),
        "betas": rng.normal(0, 0.2, 10),
        "R": np.diag([1.0, -1.0, -1.0]),
        "t": np.array([0.1, 0.0, 5.0]),
        "K": np.array([[hmr.FOCAL, 0, 160.0], [0, hmr.FOCAL, 120.0], [0, 0, 1]]),
    }


def _hmr_3dpw(folder):
    (folder / "sequence.pkl").write_bytes(pickle.dumps(hmr.sequence(_people()), protocol=2))
    names = (f"downtown_walk_00/image_{2 * frame:05d}.jpg" for frame in range(hmr.FRAMES))
    hmr.save_pictures(folder, names)


def _hmr_h36m(folder):
    hmr.write_h36m(folder, _people())
    hmr.save_pictures(folder, (f"s_01_act_02/{frame:06d}.jpg" for frame in range(hmr.FRAMES)))


def _humandata(folder):
    people = _people()
    camera = people["pose"][:, :3], people["trans"] + [0, 0, 5]
    hmr.write_humandata(folder / "set.npz", {**people, "camera_pose": camera})
    hmr.save_pictures(folder, (f"a/{frame}.png" for frame in range(hmr.FRAMES)))


def _cut(annotations, folder):
    return cut_out(annotations, folder, _BODY, _SIZE, 1.3)


def _agora(folder):
    _, columns = real.agora_columns()
    frame = pd.DataFrame({name: pd.Series(v, dtype=object) for name, v in columns.items()})
    frame.columns = frame.columns.astype(object)
    frame.to_pickle(folder / "validation_0_withjv.pkl")
    real.picture(folder / "images/a.png")


def _ski(folder):
    for camera in (1, 2):
        path = folder / f"test/seq_003/cam_0{camera}/image_000007.png"
        path.parent.mkdir(parents=True)
        Image.new("RGB", (256, 256)).save(path)
    joints = np.random.default_rng(0).normal(0, 0.5, (2, 51))
    labels = {"seq": [3, 3], "cam": [1, 2], "frame": [7, 7], "3D": joints}
    np.savez(folder / "test/labels.npz", **labels)


READERS = (
    Reader(
        "labelled-3dpw",
        _hmr_3dpw,
        lambda folder: _cut(read_3dpw(folder / "sequence.pkl", _BODY), folder),
        ("*.pkl",),
    ),
    Reader(
        "labelled-h36m",
        _hmr_h36m,
        lambda folder: _cut(read_h36m(folder, 1, _BODY), folder),
        ("*.json",),
    ),
    Reader(
        "labelled-humandata",
        _humandata,
        lambda folder: _cut(read_humandata(folder / "set.npz", _BODY), folder),
        ("*.npz",),
    ),
    Reader(
        "real-3dpw",
        lambda folder: real.write_threedpw(folder),
        lambda folder: read_threedpw(folder, "test", _SIZE),
        ("sequenceFiles/*/*.pkl",),
    ),
    Reader(
        "real-3dhp",
        lambda folder: real.write_3dhp(folder),
        lambda folder: read_mpi_inf_3dhp(folder, _SIZE),
        ("*.npz",),
    ),
    Reader("real-ski", _ski, lambda folder: read_ski_pose(folder, "test", _SIZE), ("test/*.npz",)),
    Reader(
        "real-agora",
        _agora,
        lambda folder: read_agora(folder, folder / "images", _SIZE),
        ("*.pkl",),
    ),
    Reader(
        "real-picture",
        lambda folder: real.write_3dhp(folder),
        lambda folder: read_mpi_inf_3dhp(folder, _SIZE),
        ("TS1/*.jpg",),
    ),
)
