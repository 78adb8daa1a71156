"""Readers of YAML: every file of a preset with its own model, and what is read without one."""

from pathlib import Path

import yaml

from fuzz.reader import Reader
from poseloop.report.reference.models import models_of
from poseloop.runtime.config import load_config
from poseloop.runtime.pipelines import read_stages
from poseloop.runtime.slurm_site import load_site
from poseloop.runtime.study import assets_of, cores_of

_ROOT = Path(__file__).resolve().parents[2]
_MODELS = models_of(sorted((_ROOT / "config/demo").glob("*.yaml")))
_WHOLE = {name: (_ROOT / "config/demo" / name).read_bytes() for name in _MODELS}
_STAGES = {"stages": {"a": {"cmd": "x", "deps": ["b"], "outs": ["c", {"d": {"cache": False}}]}}}


def _make(folder):
    for name in _MODELS:
        (folder / name).write_bytes(_WHOLE[name])


def _read(folder):
    """The one damaged file; the others are known to be whole."""
    for name, model in _MODELS.items():
        path = folder / name
        if path.read_bytes() != _WHOLE[name]:
            load_config(path, model)


def _read_unchecked(folder):
    for name in _MODELS:
        path = folder / name
        if path.read_bytes() != _WHOLE[name]:
            assets_of(path)
            cores_of(path)


READERS = (
    Reader("config", _make, _read, ("*.yaml",)),
    Reader("config-unchecked", _make, _read_unchecked, ("*.yaml",)),
    Reader(
        "config-slurm-site",
        lambda folder: (folder / "site.yaml").write_text(
            (_ROOT / "profiles/slurm/site.yaml").read_text()
        ),
        lambda folder: load_site(folder / "site.yaml"),
        ("*.yaml",),
    ),
    Reader(
        "config-pipeline",
        lambda folder: (folder / "dvc.yaml").write_text(yaml.safe_dump(_STAGES)),
        lambda folder: read_stages(folder, [Path("dvc.yaml")]),
        ("*.yaml",),
    ),
)
