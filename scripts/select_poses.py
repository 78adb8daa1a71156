"""Select the poses of the pose set by farthest-point selection, with their neighbours."""

import argparse
from pathlib import Path

import torch

from poseloop.body.model import load_body
from poseloop.data.config import PoseSetConfig
from poseloop.data.poses import read_poses
from poseloop.data.poseset import select_poses
from poseloop.runtime.cli import run
from poseloop.runtime.config import load_config


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", required=True, help="poseset.yaml")
    parser.add_argument("--body", required=True, help="body model file or folder")
    parser.add_argument("--clips", required=True, help="motion/clips.npz")
    parser.add_argument("--output", required=True, type=Path, help="npz to write")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    config = load_config(arguments.config, PoseSetConfig)
    poses = read_poses(arguments.clips, config.selection.splits)
    body = load_body(arguments.body)
    select_poses(poses, config.selection, body, config.seed).save(arguments.output)


if __name__ == "__main__":
    run(main)
