"""How networks are computed: precision, compiled kernels, kept activations, several processes."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from tiny_models import SMALL_DENOISER, small_denoiser

from poseloop.multiview.compute import computed
from poseloop.multiview.config import ComputeConfig, MultiviewConfig
from poseloop.multiview.dataset import LatentSet, write_latents
from poseloop.multiview.denoiser import MultiViewDenoiser
from poseloop.runtime.seeds import make_deterministic
from poseloop.runtime.weights import read_weights

ROOT = Path(__file__).parents[1]
NEEDS_COMPILER = pytest.mark.skipif(not shutil.which("g++"), reason="no C++ compiler")
NEEDS_GPU = pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")


def gradients(denoiser, config, device="cpu"):
    """Output and gradients of a network that has left its zeros."""
    generator = torch.Generator().manual_seed(1)
    for layer in (denoiser.conv_out, denoiser.skip_gate):
        torch.nn.init.normal_(layer.weight, std=0.1, generator=generator)
    denoiser.to(device)
    shapes = (2, 6, 2, 4, 16, 16), (2, 4, 16, 16)
    latents, image = (torch.randn(shape, generator=generator).to(device) for shape in shapes)
    output = computed(denoiser, config)(latents, torch.tensor([10, 900], device=device), image)
    return output, torch.autograd.grad(output.square().mean(), list(denoiser.parameters()))


def relative_error(values, expected):
    flat, right = (torch.cat([v.detach().flatten() for v in part]) for part in (values, expected))
    return float((flat - right).norm() / right.norm())


def test_bfloat16_is_near_float32_and_comes_back_as_float32():
    right, expected = gradients(small_denoiser(), ComputeConfig())
    output, found = gradients(small_denoiser(), ComputeConfig(precision="bfloat16"))
    assert output.dtype == torch.float32
    assert all(gradient.dtype == torch.float32 for gradient in found)
    assert 1e-4 < relative_error([output], [right]) < 0.02
    assert 1e-4 < relative_error(found, expected) < 0.03


@NEEDS_COMPILER
def test_compiled_kernels_give_the_same():
    one_level = {"channels": [16], "blocks": [1], "multiview_attention": ["row"]}
    denoiser = MultiViewDenoiser(SMALL_DENOISER.model_copy(update=one_level))
    right, expected = gradients(denoiser, ComputeConfig())
    output, found = gradients(denoiser, ComputeConfig(compile=True))
    assert relative_error([output], [right]) < 1e-5
    assert relative_error(found, expected) < 1e-4


def test_activations_made_again_give_the_same_gradients():
    denoiser = small_denoiser()
    denoiser.checkpoint_stages(True)
    output, found = gradients(denoiser, ComputeConfig())
    right, expected = gradients(small_denoiser(), ComputeConfig())
    assert torch.equal(output, right)
    assert all(map(torch.equal, found, expected))


@pytest.fixture
def deterministic():
    """As in a job."""
    make_deterministic(0, torch.get_num_threads())
    yield
    torch.use_deterministic_algorithms(False)


@NEEDS_GPU
@pytest.mark.usefixtures("deterministic")
def test_the_gpu_repeats_itself_and_is_near_the_cpu():
    config = ComputeConfig(precision="bfloat16", compile=True)
    output, found = gradients(small_denoiser(), config, "cuda")
    again, repeated = gradients(small_denoiser(), config, "cuda")
    assert torch.equal(output, again)
    assert all(map(torch.equal, found, repeated))
    right, _ = gradients(small_denoiser(), ComputeConfig())
    assert relative_error([output.cpu()], [right]) < 0.02


def write_problem(folder):
    """A config of two parts a batch, and latents of nobody in particular."""
    content = yaml.safe_load((ROOT / "config/smoke/multiview.yaml").read_text())
    content |= {"threads": 1, "device": "cpu", "compute": {"gpus": 2}}
    content["denoiser"] |= {
        "channels": [16, 16],
        "norm_groups": 8,
        "heads": 2,
        "latent_channels": 4,
    }
    content["train"] |= {"steps": 3, "batch_size": 4, "validate_every": 3, "accumulation": 1}
    config = MultiviewConfig.model_validate(content)
    assert config.parts == 2
    (folder / "multiview.yaml").write_text(yaml.safe_dump(content))
    generator = torch.Generator().manual_seed(0)
    shape = (8, config.denoiser.views, 2, 4, 16, 16)
    write_latents(
        folder / "latents.npz",
        [
            LatentSet(
                torch.randn((8, 4, 16, 16), generator=generator),
                torch.randn((8, 24, 3), generator=generator),
                torch.randn(shape, generator=generator),
                np.full(8, "train"),
            )
        ],
    )


def train(folder, name, gpus):
    """As a job of SLURM that was given so many GPUs, on a machine that has none to be found."""
    launch = [sys.executable, "-m", "poseloop.runtime.launch", str(gpus)]
    script = [ROOT / "scripts/train_multiview.py", "--config", "multiview.yaml"]
    script += ["--latents", "latents.npz", "--validation", "latents.npz"]
    script += ["--output", f"{name}.safetensors", "--metrics", f"{name}.json"]
    given = {"SLURM_JOB_ID": "1", "CUDA_VISIBLE_DEVICES": ",".join(map(str, range(gpus)))}
    here = {"PYTHONPATH": str(ROOT / "src"), "OMP_NUM_THREADS": "1"}
    words = [*launch, *script, "--log", f"{name}.csv"]
    subprocess.run(words, cwd=folder, env=os.environ | given | here, check=True)
    return read_weights(folder / f"{name}.safetensors")


def test_two_processes_train_what_one_trains(tmp_path):
    write_problem(tmp_path)
    together, about = train(tmp_path, "together", gpus=2)
    alone, _ = train(tmp_path, "alone", gpus=0)
    assert "compute" not in about["multiview"]
    assert all(torch.equal(together[name], alone[name]) for name in alone)
    assert (tmp_path / "together.csv").read_text() == (tmp_path / "alone.csv").read_text()
