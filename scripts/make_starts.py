"""Select and render the poses from which the body fit of the carving starts."""

import argparse
from pathlib import Path

from poseloop.body.model import load_body
from poseloop.data.poses import read_poses
from poseloop.reconstruct.config import CarveConfig
from poseloop.reconstruct.starts import make_starts, write_starts
from poseloop.runtime.cli import run
from poseloop.runtime.config import load_config
from poseloop.runtime.seeds import make_deterministic


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="carve.yaml")
    parser.add_argument("--body", type=Path, required=True, help="body model file or folder")
    parser.add_argument("--clips", type=Path, required=True, help="motion/clips.npz")
    parser.add_argument("--output", type=Path, required=True, help="npz to write")
    arguments = parser.parse_args()
    config = load_config(arguments.config, CarveConfig)
    make_deterministic(0, 1)
    poses = read_poses(arguments.clips, config.starts.splits)
    body = load_body(arguments.body)
    write_starts(arguments.output, make_starts(body, poses, config.azimuths, config.starts))


if __name__ == "__main__":
    run(main)
