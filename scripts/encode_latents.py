"""Encode scans, validation scans and the pose set to latents."""

import argparse
from pathlib import Path

from poseloop.data.shards import set_of
from poseloop.multiview.config import AutoencoderConfig, MultiviewConfig
from poseloop.multiview.dataset import LatentSet, write_latents
from poseloop.multiview.encoding import encode_set
from poseloop.multiview.loading import load_autoencoder
from poseloop.runtime.cli import run
from poseloop.runtime.config import load_config
from poseloop.runtime.device import choose_device
from poseloop.runtime.files import read_npz
from poseloop.runtime.seeds import make_deterministic

_INPUTS = ("input_rgb", "input_mask", "joints")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="autoencoder.yaml")
    parser.add_argument("--multiview-config", type=Path, required=True)
    parser.add_argument("--autoencoder", type=Path, required=True)
    parser.add_argument("--scans", type=Path, nargs="+", required=True)
    parser.add_argument("--validation", type=Path, nargs="+", required=True)
    parser.add_argument("--poseset", type=Path, required=True)
    parser.add_argument("--scans-output", type=Path, required=True)
    parser.add_argument("--validation-output", type=Path, required=True)
    parser.add_argument("--poseset-output", type=Path, required=True)
    arguments = parser.parse_args()

    config = load_config(arguments.config, AutoencoderConfig)
    multiview = load_config(arguments.multiview_config, MultiviewConfig)
    make_deterministic(config.seed, config.threads)
    autoencoder = load_autoencoder(arguments.autoencoder, choose_device(config.device))

    def encode(path: Path, *images: str) -> LatentSet:
        arrays = read_npz(path, *_INPUTS, *images, only=True)
        return encode_set(
            autoencoder, arrays, set_of(path), multiview.mirrored_views, config.encode_batch_size
        )

    for paths, output in (
        (arguments.scans, arguments.scans_output),
        (arguments.validation, arguments.validation_output),
    ):
        write_latents(output, [encode(path, "rgb", "normal") for path in paths])
    write_latents(arguments.poseset_output, [encode(arguments.poseset)])


if __name__ == "__main__":
    run(main)
