"""Readers of weights: the project's safetensors, PSHuman's release, LPIPS and checkpoints."""

from functools import cache
from pathlib import Path
from unittest.mock import patch

import numpy as np
import torch
from safetensors.torch import save_file
from tiny_animate import AUTOENCODER, animate_config
from tiny_body import smpl_arrays
from tiny_hmr import base_config, scorer_config
from tiny_pshuman import TINY, tiny

from fuzz.reader import Reader
from poseloop.body.model import BodyModel
from poseloop.evaluate.config import Triangulation
from poseloop.evaluate.estimators import load_tuned
from poseloop.evaluate.hacking.snapshots import read_snapshots
from poseloop.evaluate.judge import Judge
from poseloop.evaluate.lpips import Lpips
from poseloop.evaluate.pose import PoseJudge, load_judge
from poseloop.hmr.denoiser import DiffusionHMR, load_hmr
from poseloop.hmr.detection import load_encoder, save_encoder
from poseloop.hmr.encoder import Encoder
from poseloop.hmr.scorer import Scorer, load_scorer
from poseloop.multiview.animate.network import AnimationDenoiser
from poseloop.multiview.animate.sampling import load_animator
from poseloop.multiview.autoencoder import Autoencoder
from poseloop.multiview.config import MultiviewConfig
from poseloop.multiview.denoiser import MultiViewDenoiser
from poseloop.multiview.loading import load_autoencoder, load_multiview
from poseloop.multiview.pshuman import loading
from poseloop.multiview.pshuman.conditions import read_prompts
from poseloop.multiview.pshuman.config import ReleasedConfig
from poseloop.multiview.pshuman.keymap import to_released
from poseloop.posegen.config import PosegenConfig
from poseloop.posegen.config_estimators import EstimatorsConfig
from poseloop.posegen.config_nerf import NerfConfig
from poseloop.posegen.estimator import make_estimator
from poseloop.posegen.estimator_training import load_estimator, save_estimator, surface_body
from poseloop.posegen.generator import Bounds
from poseloop.posegen.generator_training import Gan
from poseloop.posegen.loading import load_gan
from poseloop.posegen.nerf_training import load_field, save_field
from poseloop.posegen.part_field import PartField
from poseloop.posegen.relative_field import RelativeField
from poseloop.reward.config import PoseScoreConfig
from poseloop.reward.jointscore import JointScore
from poseloop.reward.posescore import PoseScore, load_posescore
from poseloop.runtime import checkpoints
from poseloop.runtime.config import load_config
from poseloop.runtime.weights import write_weights

_CONFIG = Path(__file__).resolve().parents[2] / "config/smoke"
_CPU = torch.device("cpu")
_NAME = "model.safetensors"
_EXTRA = {"parts": np.repeat(np.arange(24, dtype=np.int8), 6), "regions": np.zeros(144, np.int8)}
_BODY = BodyModel(smpl_arrays() | _EXTRA)
_COMPACT = surface_body(_BODY, 20)
_SIZE = 32


def _smoke(concern, model, **changes):
    return load_config(_CONFIG / f"{concern}.yaml", model).model_copy(update=changes)


def _estimators():
    return _smoke("posegen_estimators", EstimatorsConfig).estimators


def _autoencoder(path):
    write_weights(
        path, Autoencoder(AUTOENCODER).state_dict(), {"autoencoder": AUTOENCODER.model_dump()}
    )


def _multiview_config():
    config = _smoke("multiview", MultiviewConfig)
    one_level = {"channels": [16], "blocks": [1], "multiview_attention": ["row"]}
    small = config.denoiser.model_copy(update=one_level)
    return config.model_copy(update={"denoiser": small})


def _multiview(path):
    config = _multiview_config()
    write_weights(
        path, MultiViewDenoiser(config.denoiser).state_dict(), {"multiview": config.model_dump()}
    )


def _snapshots(path):
    config = _multiview_config()
    state = MultiViewDenoiser(config.denoiser).state_dict()
    tensors = {f"{step}/{name}": value + step for step in (0, 5) for name, value in state.items()}
    write_weights(path, tensors, {"multiview": config.model_dump()})


def _read_snapshots(path):
    snapshots = read_snapshots(path)
    for step in snapshots.states:
        snapshots.load(step, _CPU)


def _score(kind):
    def make(path):
        config = _smoke("posescore", PoseScoreConfig, channels=[8, 8])
        kind(config, 4, 8, [3, 4]).save(path)

    return make


def _judge(path):
    triangulation = Triangulation.model_validate(
        {"coarse": 32, "fine": 7, "radius": 2.0, "floor": 1e-3, "depth_weight": 0.5}
        | {"candidates": 12, "slack": 0.02}
    )
    PoseJudge(Judge([8, 8], 1, 2).eval(), triangulation, 150.0).save(path)


def _base_config():
    return base_config(transformer={"width": 16, "heads": 2, "hops": [4]})


def _hmr(path):
    DiffusionHMR(_base_config(), _BODY).save(path)


def _scorer(path):
    Scorer(scorer_config(), _base_config(), _BODY).save(path, "0" * 64)


def _encoder(path):
    save_encoder(path, Encoder(base_config().encoder), base_config().encoder)


def _animator(path):
    config = animate_config()
    one_level = config.network.model_copy(update={"channels": [16], "blocks": [1]})
    config = config.model_copy(update={"network": one_level})
    state = AnimationDenoiser(config.network).state_dict()
    write_weights(path, state, {"animate": config.model_dump()})


def _estimator(name):
    def make(path):
        entry = _estimators()[name]
        save_estimator(path, make_estimator(entry, _COMPACT, _SIZE), entry, _SIZE)

    return make


def _tuned(path):
    entry = _estimators()["regression"]
    state = make_estimator(entry, _COMPACT, _SIZE).state_dict()
    tensors = {f"plain.{name}": value for name, value in state.items()}
    about = {"estimator": entry.model_dump(), "size": _SIZE, "methods": ["plain"]}
    write_weights(path, tensors, about)


def _field(kind):
    def make(path):
        config = _smoke("posegen_nerf", NerfConfig)
        parts = config.parts.model_copy(update={"resolution": 4})
        betas = torch.zeros(1, 10)
        rest = _COMPACT.rest_joints(betas)
        field = PartField(parts, rest) if kind == "parts" else RelativeField(config.relative, 1)
        save_field(path, field, betas, _COMPACT)

    return make


_POSEGEN = _smoke("posegen", PosegenConfig)


def _gan(path):
    config = _POSEGEN
    rng = np.random.default_rng(0)
    poses = rng.normal(0, 0.3, (8, 72)).astype(np.float32)
    gan = Gan(config, Bounds(config.generator, poses), 0)
    state = {f"seed0.{name}": value for name, value in gan.state_dict().items()}
    state |= {name: torch.tensor(poses) for name in ("prior", "starts")}
    write_weights(path, state, {"generator": [0]})


def _own(name, make, load):
    """A reader of one of the project's own files of weights."""
    return Reader(
        f"weights-{name}",
        lambda folder: make(folder / _NAME),
        lambda folder: load(folder / _NAME),
        (_NAME,),
    )


_SMALL = TINY | {"channels": [8, 8], "heads": [2, 2], "blocks": 1, "norm_groups": 4}


def _half(unet):
    """The way down alone: it has every kind of layer, and a third of the parameters."""
    del unet.mid_block, unet.up_blocks
    return unet


def _released(suffix):
    def make(folder):
        unet = _half(tiny(**_SMALL))
        state = {to_released(key): value for key, value in unet.state_dict().items()}
        (folder / "unet").mkdir()
        path = folder / f"unet/diffusion_pytorch_model.{suffix}"
        save_file(state, path) if suffix == "safetensors" else torch.save(state, path)
        (folder / "unet/config.json").write_text('{"num_views": 4, "sample_size": 12}')
        for name in ("normal_embeds.pt", "clr_embeds.pt"):
            torch.save(torch.randn(4, 5, TINY["prompt_channels"]).half(), folder / name)

    return make


def _released_config(folder):
    config = {"path": str(folder), "prompts": str(folder), "dtype": "float32"}
    return ReleasedConfig.model_validate(config | {"mirrored_views": [1], "unet": _SMALL})


@cache
def _network():
    """Network and shapes of the user's settings, which no file of a release changes."""
    unet = _half(loading.without_weights(_released_config(Path()).unet))
    return unet, loading._shapes_of(unet)


def _read_released(folder):
    unet, shapes = _network()
    with (
        patch.object(loading, "without_weights", return_value=unet),
        patch.object(loading, "_shapes_of", return_value=shapes),
    ):
        return loading.load_released(_released_config(folder), _CPU)


def _read_prompts(folder):
    config = _released_config(folder)
    return read_prompts(config.prompts, config.unet)


def _lpips(folder):
    shapes = ((64, 3, 11), (192, 64, 5), (384, 192, 3), (256, 384, 3), (256, 256, 3))
    state = {}
    for place, (out, inputs, side) in zip((0, 3, 6, 8, 10), shapes, strict=True):
        # One number that all places share: the file keeps a few bytes for ten megabytes.
        state[f"features.{place}.weight"] = torch.zeros(()).expand(out, inputs, side, side)
        state[f"features.{place}.bias"] = torch.zeros(out)
    torch.save(state, folder / "alexnet.pt")


def _read_lpips(folder):
    # Drawing ten megabytes of first weights, which the file's replace, takes most of the time.
    with patch.object(torch.nn.init, "kaiming_uniform_"):
        return Lpips(folder / "alexnet.pt")


def _checkpoint(folder):
    (folder / "key").mkdir()
    torch.save({"step": torch.tensor(3), "a": torch.zeros(4, 4)}, folder / "key/checkpoint.pt")


def _restore(folder):
    kept = checkpoints.Checkpoints("key", 1)
    kept.folder = folder / "key"
    return kept.restore()


READERS = (
    _own("autoencoder", _autoencoder, lambda path: load_autoencoder(path, _CPU)),
    _own("multiview", _multiview, lambda path: load_multiview(path, _CPU)),
    _own("snapshots", _snapshots, _read_snapshots),
    _own("posescore", _score(PoseScore), lambda path: load_posescore(path, _CPU)),
    _own("jointscore", _score(JointScore), lambda path: load_posescore(path, _CPU, JointScore)),
    _own("judge", _judge, load_judge),
    _own("hmr", _hmr, lambda path: load_hmr(path, _BODY)),
    _own("scorer", _scorer, lambda path: load_scorer(path, _BODY)),
    _own("encoder", _encoder, lambda path: load_encoder(path, base_config().encoder)),
    _own("animator", _animator, lambda path: load_animator(path, _CPU)),
    _own("regression", _estimator("regression"), lambda path: load_estimator(path, _COMPACT)),
    _own("kinematic", _estimator("kinematic"), lambda path: load_estimator(path, _COMPACT)),
    _own("tuned", _tuned, lambda path: load_tuned(path, _COMPACT)),
    _own("part-field", _field("parts"), load_field),
    _own("relative-field", _field("relative"), load_field),
    _own("gan", _gan, lambda path: load_gan(path, _POSEGEN, 0)),
    Reader("weights-pshuman", _released("safetensors"), _read_released, ("unet/*.safetensors",)),
    Reader("weights-pshuman-bin", _released("bin"), _read_released, ("unet/*.bin",)),
    Reader("weights-pshuman-config", _released("safetensors"), _read_released, ("unet/*.json",)),
    Reader("weights-pshuman-prompts", _released("bin"), _read_prompts, ("*.pt",)),
    Reader("weights-lpips", _lpips, _read_lpips, ("*.pt",)),
    Reader("checkpoint", _checkpoint, _restore, ("key/*.pt",)),
)
