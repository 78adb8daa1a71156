"""Render one picture set of posegen_images.yaml."""

import argparse
from pathlib import Path

import torch

from poseloop.body.model import load_body
from poseloop.posegen.config_images import ImageSetsConfig
from poseloop.posegen.images import make_image_set
from poseloop.runtime.cli import run
from poseloop.runtime.config import load_config


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="posegen_images.yaml")
    parser.add_argument("--sets", nargs="+", required=True, help="names of sets in it")
    parser.add_argument("--body", type=Path, required=True, help="body model file or folder")
    parser.add_argument("--clips", type=Path, required=True, help="motion/clips.npz")
    parser.add_argument("--output", type=Path, nargs="+", required=True, help="one npz per set")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    config = load_config(arguments.config, ImageSetsConfig)
    body = load_body(arguments.body)
    for name, path in zip(arguments.sets, arguments.output, strict=True):
        make_image_set(config, name, body, arguments.clips).save(path)


if __name__ == "__main__":
    run(main)
