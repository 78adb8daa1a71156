"""Readers of the files that one step leaves for the next, and of preference pairs."""

import json

import numpy as np
import torch
from safetensors.torch import save_file
from tiny_hmr import make_labels, make_pictures

from fuzz.reader import Reader
from poseloop.data.clipset import ClipSet
from poseloop.data.store import PoseSet, SelectedPoses, ViewSet
from poseloop.evaluate.estimators import gather_errors
from poseloop.evaluate.judge_training import read_judge_scans
from poseloop.evaluate.metrics_files import read_metrics
from poseloop.evaluate.protocol import read_benchmark, read_samples
from poseloop.hmr.candidates import ERRORS, Candidates
from poseloop.hmr.preferences import (
    Preferences,
    _read_shard,
    read_preferences,
    write_preferences,
)
from poseloop.hmr.store import load_labelled
from poseloop.hmr.values import read_values
from poseloop.multiview.dataset import read_latents
from poseloop.posegen.imageset import ImageSet
from poseloop.reconstruct.pictures import read_views
from poseloop.reconstruct.starts import read_estimates
from poseloop.reconstruct.store import read_carved, write_carved
from poseloop.reconstruct.subject import Carved
from poseloop.runtime.assets import check_assets
from poseloop.runtime.assets_config import AssetsConfig
from poseloop.runtime.files import sha256, write_npz

_DTYPES = {"u": np.uint8, "f": np.float32, "i": np.int32, "b": bool}
_SIZES = {"N": 2, "K": 2, "S": 4, "V": 5, "F": 3, "B": 10}


def _arrays(schema):
    rng = np.random.default_rng(0)
    arrays = {}
    for name, (kind, shape) in schema.items():
        size = tuple(_SIZES.get(axis, axis) for axis in shape)
        values = rng.random(size)
        arrays[name] = np.full(size, "walk") if kind == "U" else values.astype(_DTYPES[kind])
    return arrays


def _stored(kind):
    name = kind.__name__.lower()
    return Reader(
        f"store-{name}",
        lambda folder: write_npz(folder / "set.npz", _arrays(kind.schema)),
        lambda folder: kind.load(folder / "set.npz"),
        ("*.npz",),
    )


def _npz(name, arrays, read):
    return Reader(
        f"store-{name}",
        lambda folder: write_npz(folder / "file.npz", arrays),
        lambda folder: read(folder / "file.npz"),
        ("*.npz",),
    )


def _json(name, content, read):
    return Reader(
        f"store-{name}",
        lambda folder: (folder / "file.json").write_text(json.dumps(content)),
        lambda folder: read(folder / "file.json"),
        ("*.json",),
    )


def _preferences(folder):
    rng = np.random.default_rng(0)
    made = Preferences(
        torch.arange(4),
        torch.from_numpy(rng.normal(size=(4, 3, 5, 2)).astype(np.float32)),
        torch.from_numpy(rng.normal(size=(4, 3)).astype(np.float32)),
        torch.tensor([[0, 1, 2], [3, 0, 1]]),
    )
    base = folder / "base.safetensors"
    base.write_bytes(b"a model")
    shards = [folder / f"shard{number}.npz" for number in (0, 1)]
    write_preferences(shards, folder / "manifest.json", made, base, {})


def _read_preferences(folder):
    return read_preferences(folder / "manifest.json", folder / "base.safetensors")


def _read_hashed(folder):
    """As if the shard's author had hashed it: only the checks of its arrays can refuse it."""
    for shard in ("shard0.npz", "shard1.npz"):
        path = folder / shard
        _read_shard(folder / "manifest.json", shard, sha256(path))


def _labelled(folder):
    make_pictures(2, size=8).save(folder / "images.npz")
    make_labels(2).save(folder / "labels.npz")


def _carved(folder):
    subject = Carved(
        np.zeros((3, 3), np.float32),
        np.zeros((1, 3), np.int32),
        np.zeros((3, 3), np.uint8),
        np.zeros((2, 3), np.float32),
        np.zeros((2, 3), np.float32),
    )
    write_carved(folder / "carved.npz", {0: subject, 2: "nobody there"})


_ASSETS = {
    name: {"what": name, "loops": ["drpose"], "register_at": None, "licence": None, "path": name}
    for name in ("a.npz", "b.safetensors", "c.zip")
}


def _assets(folder):
    np.savez(folder / "a.npz", x=np.zeros(3))
    np.savez(folder / "c.zip.npz", x=np.zeros(3))
    (folder / "c.zip.npz").rename(folder / "c.zip")
    save_file({"x": torch.zeros(3)}, folder / "b.safetensors")


def _check_assets(folder):
    config = AssetsConfig.model_validate({"folder": str(folder), "assets": _ASSETS})
    return check_assets(config)


_VIEWS = _arrays(ViewSet.schema)
_LATENTS = {
    "image_latents": np.zeros((2, 4, 4, 4), np.float16),
    "latents": np.zeros((2, 6, 2, 4, 4, 4), np.float16),
    "joints": np.zeros((2, 24, 3), np.float32),
    "group": np.array(["train", "test"]),
}
_SAMPLES = {name: _VIEWS[name] for name in ("rgb", "normal")} | {
    "posescore": np.zeros(2, np.float32)
}
_ESTIMATES = {
    "global_orient": np.zeros((2, 3), np.float32),
    "body_pose": np.zeros((2, 69), np.float32),
    "found": np.array([True, False]),
}
_CANDIDATES = {
    "tokens": np.zeros((2, 3, 4, 5), np.float16),
    "errors": np.zeros((2, 3, len(ERRORS)), np.float32),
}
_METRICS = {"benchmarks": {"ordinary": {"psnr": [20.5, 21.0], "ssim": [0.5, 0.75]}}, "unit": {}}
_VALUES = {"ordinary": {"mpjpe": [80.5, 91.0]}, "dynamic": {"pve": [100.0]}}

READERS = (
    *map(_stored, (ViewSet, PoseSet, SelectedPoses, ClipSet, ImageSet)),
    _npz("latents", _LATENTS, lambda path: read_latents(path, True)),
    _npz("benchmark", _VIEWS, read_benchmark),
    _npz("samples", _SAMPLES, lambda path: read_samples(path, _VIEWS)),
    _npz("views", _VIEWS, lambda path: read_views(path, _VIEWS["azimuths"].tolist())),
    _npz("judge-scans", _VIEWS, read_judge_scans),
    _npz("estimates", _ESTIMATES, read_estimates),
    _npz("candidates", _CANDIDATES, Candidates.load),
    _npz("errors", {"base/ordinary/mpjpe": np.ones((2, 3))}, lambda path: gather_errors([path])),
    _json("metrics", _METRICS, read_metrics),
    _json("values", _VALUES, read_values),
    Reader("store-carved", _carved, lambda folder: read_carved(folder / "carved.npz"), ("*.npz",)),
    Reader(
        "store-labelled",
        _labelled,
        lambda folder: load_labelled(folder / "images.npz", folder / "labels.npz"),
        ("*.npz",),
    ),
    Reader("preferences-manifest", _preferences, _read_preferences, ("manifest.json",)),
    Reader("preferences-shard", _preferences, _read_hashed, ("shard*.npz",)),
    Reader("assets", _assets, _check_assets, ("a.npz", "b.safetensors", "c.zip")),
)
