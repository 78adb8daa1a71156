"""Capture the NeRF's subjects from all sides in their poses."""

import argparse
from pathlib import Path

import torch

from poseloop.body.model import load_body
from poseloop.posegen.captures import make_captures
from poseloop.posegen.config_nerf import NerfConfig
from poseloop.runtime.cli import run
from poseloop.runtime.config import load_config


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="posegen_nerf.yaml")
    parser.add_argument("--body", type=Path, required=True, help="body model file or folder")
    parser.add_argument("--clips", type=Path, required=True, help="motion/clips.npz")
    parser.add_argument(
        "--output", type=Path, nargs=3, required=True, help="train.npz, view.npz and pose.npz"
    )
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    config = load_config(arguments.config, NerfConfig)
    captures = make_captures(config, load_body(arguments.body), arguments.clips)
    for path, split in zip(arguments.output, ("train", "view", "pose"), strict=True):
        captures[split].save(path)


if __name__ == "__main__":
    run(main)
