"""Compare the spread of the pose set's joints with that of the training scans."""

import argparse
from pathlib import Path

import numpy as np
import torch

from poseloop.body.model import load_body
from poseloop.data.diversity import diversity
from poseloop.data.poseset import root_aligned_joints
from poseloop.data.store import SelectedPoses
from poseloop.motion.augment import remove_heading
from poseloop.runtime.cli import run
from poseloop.runtime.files import read_npz, write_json


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--body", required=True, help="body model file or folder")
    parser.add_argument("--poses", required=True, help="poseset/poses.npz")
    parser.add_argument("--scans", required=True, nargs="+", help="training scans, npz files")
    parser.add_argument("--output", required=True, type=Path, help="JSON to write")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    body = load_body(arguments.body)
    selected = SelectedPoses.load(arguments.poses)
    scans = [read_npz(path, "global_orient", "body_pose", only=True) for path in arguments.scans]
    orient = np.concatenate([scan["global_orient"] for scan in scans])
    body_pose = np.concatenate([scan["body_pose"] for scan in scans])
    result = diversity(
        root_aligned_joints(body, selected.global_orient, selected.body_pose),
        root_aligned_joints(body, remove_heading(orient)[0], body_pose),
    )
    write_json(arguments.output, result)


if __name__ == "__main__":
    run(main)
