"""Render sequences for the image-animation model: of motion, or of the pose set's anchors."""

import argparse
from pathlib import Path

import torch

from poseloop.body.model import load_body
from poseloop.data.clip_config import ClipSetsConfig
from poseloop.data.clips import make_clip_set, make_driving_set
from poseloop.data.config import PoseSetConfig
from poseloop.data.store import SelectedPoses
from poseloop.runtime.cli import run
from poseloop.runtime.config import load_config
from poseloop.runtime.files import write_json


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", required=True, help="animate_clips.yaml")
    parser.add_argument("--set", required=True, choices=("train", "held_out", "poseset"))
    parser.add_argument("--poseset-config", required=True, help="poseset.yaml")
    parser.add_argument("--body", required=True, help="body model file or folder")
    parser.add_argument("--clips", required=True, help="motion/clips.npz")
    parser.add_argument("--poses", help="poseset/poses.npz, for the set poseset")
    parser.add_argument("--output", required=True, type=Path, help="npz to write")
    arguments = parser.parse_args()
    torch.set_num_threads(1)  # the processes share the cores
    config = load_config(arguments.config, ClipSetsConfig)
    body = load_body(arguments.body)
    if arguments.set == "poseset":
        clips, manifest = make_driving_set(
            config,
            load_config(arguments.poseset_config, PoseSetConfig),
            SelectedPoses.load(arguments.poses),
            body,
            arguments.clips,
        )
    else:
        clips, manifest = make_clip_set(config, arguments.set, body, arguments.clips)
    clips.save(arguments.output)
    write_json(arguments.output.with_suffix(".json"), manifest)


if __name__ == "__main__":
    run(main)
