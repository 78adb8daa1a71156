"""Readers of motion: every source of motion.yaml and what the converters take."""

import pickle

import numpy as np
from test_motion_gltf import write_glb
from tiny_body import rest_joints
from tiny_data import make_clips
from tiny_motion import bvh_text, deepmimic_rows, write_deepmimic

from fuzz.reader import Reader
from poseloop.data.poses import read_poses
from poseloop.motion.aistpp import amass_arrays, read_aistpp
from poseloop.motion.bvh_writer import bvh_text as written_bvh
from poseloop.motion.clips import prepare
from poseloop.motion.config import MotionConfig
from poseloop.motion.gltf import read_gltf

_RNG = np.random.default_rng(0)
_FRAMES = 3


def _prepare(kind, path, **source):
    def read(folder):
        config = {
            "sources": [{"kind": kind, "path": str(folder / path), **source}],
            "splits": {"val": [], "test": []},
            "fps": 30,
            "mirror": True,
        }
        return prepare(MotionConfig.model_validate(config), rest_joints())

    return read


def _bvh(folder):
    (folder / "walk.bvh").write_text(bvh_text(_FRAMES))


def _deepmimic(folder):
    write_deepmimic(folder, {"walk": deepmimic_rows(_FRAMES)})


def _amass(width):
    def make(folder):
        np.savez(
            folder / "walk.npz",
            poses=_RNG.normal(0, 0.3, (_FRAMES, width)),
            trans=_RNG.normal(0, 1, (_FRAMES, 3)),
            mocap_framerate=np.array(60.0),
            betas=np.zeros(16),
            gender=np.array("neutral"),
        )

    return make


def _amass_parts(folder):
    np.savez(
        folder / "walk.npz",
        root_orient=_RNG.normal(0, 0.3, (_FRAMES, 3)),
        pose_body=_RNG.normal(0, 0.3, (_FRAMES, 63)),
        trans=_RNG.normal(0, 1, (_FRAMES, 3)),
        mocap_frame_rate=np.array(60.0),
    )


def _motionx_npy(folder):
    np.save(folder / "walk.npy", _RNG.normal(0, 0.3, (_FRAMES, 322)).astype(np.float32))


def _motionx_npz(folder):
    np.savez(folder / "walk.npz", motion=_RNG.normal(0, 0.3, (_FRAMES, 322)).astype(np.float32))


def _aistpp(folder):
    dance = {
        "smpl_poses": _RNG.normal(0, 0.3, (_FRAMES, 72)),
        "smpl_trans": _RNG.normal(0, 90, (_FRAMES, 3)),
        "smpl_scaling": np.array([93.7]),
        "smpl_loss": 0.3,
    }
    (folder / "dance.pkl").write_bytes(pickle.dumps(dance, protocol=2))


def _gltf(name, **options):
    def make(folder):
        write_glb(folder / name, rest=0.3, **options)

    def read(folder):
        return written_bvh(read_gltf(folder / name))

    return make, read


def _clips(folder):
    make_clips(folder / "clips.npz")


READERS = (
    Reader("motion-bvh", _bvh, _prepare("bvh", "."), ("*.bvh",)),
    Reader("motion-deepmimic", _deepmimic, _prepare("deepmimic", "."), ("*.txt",)),
    Reader("motion-amass-smplh", _amass(156), _prepare("amass", "walk.npz"), ("*.npz",)),
    Reader("motion-amass-parts", _amass_parts, _prepare("amass", "walk.npz"), ("*.npz",)),
    Reader("motion-motionx-npy", _motionx_npy, _prepare("motionx", "walk.npy"), ("*.npy",)),
    Reader("motion-motionx-npz", _motionx_npz, _prepare("motionx", "walk.npz"), ("*.npz",)),
    Reader(
        "motion-aistpp",
        _aistpp,
        lambda folder: amass_arrays(read_aistpp("dance", folder / "dance.pkl")),
        ("*.pkl",),
    ),
    Reader("motion-glb", *_gltf("walk.glb"), ("*.glb",)),
    Reader("motion-gltf", *_gltf("walk.gltf"), ("*.gltf",)),
    Reader(
        "motion-clips",
        _clips,
        lambda folder: read_poses(folder / "clips.npz", ["train"], ["walk"]),
        ("*.npz",),
    ),
)
