"""Sample every benchmark with one model and one seed."""

import argparse
from pathlib import Path

from poseloop.multiview.config import GenerateConfig
from poseloop.multiview.loading import load_autoencoder, load_multiview
from poseloop.reward.generate import generate_views
from poseloop.reward.posescore import load_posescore
from poseloop.runtime.cli import run
from poseloop.runtime.config import load_config
from poseloop.runtime.device import choose_device
from poseloop.runtime.files import read_npz, write_npz
from poseloop.runtime.seeds import make_deterministic


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--seed", type=int, required=True, help="seed of the sampling noise")
    parser.add_argument("--model", type=Path, required=True, help="base or fine-tuned denoiser")
    parser.add_argument("--autoencoder", type=Path, required=True)
    parser.add_argument("--posescore", type=Path, required=True)
    parser.add_argument("--benchmarks", type=Path, nargs="+", required=True)
    parser.add_argument("--outputs", type=Path, nargs="+", required=True)
    arguments = parser.parse_args()

    config = load_config(arguments.config, GenerateConfig)
    make_deterministic(arguments.seed, config.threads)
    device = choose_device(config.device)
    denoiser, multiview = load_multiview(arguments.model, device)
    autoencoder = load_autoencoder(arguments.autoencoder, device)
    posescore = load_posescore(arguments.posescore, device)
    for path, output in zip(arguments.benchmarks, arguments.outputs, strict=True):
        benchmark = read_npz(path, "input_rgb", "input_mask", "joints", only=True)
        samples = generate_views(
            denoiser,
            multiview,
            autoencoder,
            posescore,
            benchmark,
            path.stem,
            config,
            arguments.seed,
            device,
        )
        write_npz(output, samples)


if __name__ == "__main__":
    run(main)
