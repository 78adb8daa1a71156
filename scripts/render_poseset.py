"""Make one picture of each selected pose, or read them from a folder of frames."""

import argparse
from pathlib import Path

import torch

from poseloop.body.model import load_body
from poseloop.data.config import PoseSetConfig
from poseloop.data.frames import read_pose_set
from poseloop.data.poseset import describe, make_pose_set
from poseloop.data.store import SelectedPoses
from poseloop.runtime.cli import run
from poseloop.runtime.config import load_config
from poseloop.runtime.files import write_json


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", required=True, help="poseset.yaml")
    parser.add_argument("--body", required=True, help="body model file or folder")
    parser.add_argument("--poses", required=True, help="poseset/poses.npz")
    parser.add_argument("--output", required=True, type=Path, help="npz to write")
    arguments = parser.parse_args()
    torch.set_num_threads(1)  # the processes share the cores
    config = load_config(arguments.config, PoseSetConfig)
    body = load_body(arguments.body)
    selected = SelectedPoses.load(arguments.poses)
    make = make_pose_set if config.generator == "renderer" else read_pose_set
    pose_set = make(config, selected, body)
    pose_set.save(arguments.output)
    write_json(arguments.output.with_suffix(".json"), describe(config, pose_set))


if __name__ == "__main__":
    run(main)
