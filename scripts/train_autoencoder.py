"""Train the autoencoder on scan renders and report its PSNR on held-out renders."""

import argparse
from pathlib import Path

import numpy as np
import torch

from poseloop.data.spread import even_rows
from poseloop.multiview.autoencoder_training import reconstruction_psnr, train_autoencoder
from poseloop.multiview.config import AutoencoderConfig
from poseloop.runtime.checkpoints import Checkpoints, run_key
from poseloop.runtime.cli import run
from poseloop.runtime.config import load_config
from poseloop.runtime.device import choose_device
from poseloop.runtime.files import read_npz, write_json
from poseloop.runtime.seeds import make_deterministic
from poseloop.runtime.weights import write_weights


def read_images(paths: list[Path], name: str, most: int | None = None) -> torch.Tensor:
    """Views of subjects of the files, (N, H, W, 3) uint8: all, or `most` evenly from all files."""
    arrays = []
    for path in paths:
        array = read_npz(path, name, only=True)[name]
        array = array.reshape(-1, *array.shape[-3:])
        if most is not None:
            array = array[even_rows(len(array), -(-most // len(paths)))]
        arrays.append(array)
    return torch.from_numpy(np.concatenate(arrays))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--scans", type=Path, nargs="+", required=True)
    parser.add_argument("--validation", type=Path, nargs="+", required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--metrics", type=Path, required=True)
    arguments = parser.parse_args()

    config = load_config(arguments.config, AutoencoderConfig)
    make_deterministic(config.seed, config.threads)
    checkpoints = Checkpoints(
        run_key(__file__, [arguments.config, *arguments.scans]), config.checkpoint_every
    )
    scans = {
        name: read_images(arguments.scans, name, config.pictures) for name in ("rgb", "normal")
    }
    autoencoder, rows = train_autoencoder(
        config, scans["rgb"], scans["normal"], choose_device(config.device), checkpoints
    )
    metrics = {"train_loss": round(float(np.mean([row["loss"] for row in rows[-50:]])), 6)}
    for path in arguments.validation:
        for name in ("rgb", "normal"):
            psnr = reconstruction_psnr(
                autoencoder, read_images([path], name), config.encode_batch_size
            )
            metrics[f"psnr_{name}_{path.stem}"] = round(psnr, 3)
    write_weights(arguments.output, autoencoder.state_dict(), {"autoencoder": config.model_dump()})
    write_json(arguments.metrics, metrics)
    checkpoints.discard()


if __name__ == "__main__":
    run(main)
