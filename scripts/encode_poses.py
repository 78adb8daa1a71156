"""Encode the pictures of a pose set to latents."""

import argparse
from pathlib import Path

from poseloop.multiview.config import AutoencoderConfig
from poseloop.multiview.dataset import write_latents
from poseloop.multiview.encoding import encode_set
from poseloop.multiview.loading import load_autoencoder
from poseloop.runtime.cli import run
from poseloop.runtime.config import load_config
from poseloop.runtime.device import choose_device
from poseloop.runtime.files import read_npz
from poseloop.runtime.seeds import make_deterministic

_ARRAYS = ("input_rgb", "input_mask", "joints")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="autoencoder.yaml")
    parser.add_argument("--autoencoder", type=Path, required=True)
    parser.add_argument("--poses", type=Path, required=True, help="images.npz of a pose set")
    parser.add_argument("--output", type=Path, required=True, help="latents (.npz)")
    arguments = parser.parse_args()
    config = load_config(arguments.config, AutoencoderConfig)
    make_deterministic(config.seed, config.threads)
    autoencoder = load_autoencoder(arguments.autoencoder, choose_device(config.device))
    arrays = read_npz(arguments.poses, *_ARRAYS, only=True)
    # Pictures alone: no view is mirrored.
    latents = encode_set(autoencoder, arrays, arguments.poses.stem, [], config.encode_batch_size)
    write_latents(arguments.output, [latents])


if __name__ == "__main__":
    run(main)
