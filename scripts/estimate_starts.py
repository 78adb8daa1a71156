"""Estimate the pose in the input picture of each subject, from which a body may be fitted."""

import argparse
from pathlib import Path

import numpy as np

from poseloop.body.model import load_body
from poseloop.hmr.denoiser import load_hmr
from poseloop.hmr.scorer import load_scorer
from poseloop.hmr.start_poses import estimate_poses
from poseloop.reconstruct.config import CarveConfig
from poseloop.runtime.cli import run
from poseloop.runtime.config import load_config
from poseloop.runtime.errors import UserError
from poseloop.runtime.files import read_npz, write_npz
from poseloop.runtime.seeds import make_deterministic


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="carve.yaml")
    parser.add_argument("--body", type=Path, required=True, help="body model file or folder")
    parser.add_argument("--model", type=Path, required=True, help="of the ADHMR loop")
    parser.add_argument("--scorer", type=Path, required=True, help="from train_hmr_scorer.py")
    parser.add_argument("--benchmark", type=Path, required=True, help="whose input pictures")
    parser.add_argument("--output", type=Path, required=True, help="npz to write")
    arguments = parser.parse_args()

    config = load_config(arguments.config, CarveConfig).estimate
    make_deterministic(config.seed, 1)
    body = load_body(arguments.body)
    model, scorer = load_hmr(arguments.model, body), load_scorer(arguments.scorer, body)
    inputs = read_npz(arguments.benchmark, "input_rgb", "input_mask", only=True)
    poses = np.zeros((len(inputs["input_rgb"]), 72), np.float32)
    found = np.zeros(len(poses), bool)
    for row, pose in enumerate(estimate_poses(model, scorer, inputs, config)):
        if isinstance(pose, UserError):
            print(f"subject {row}: no estimate: {pose}", flush=True)
        else:
            poses[row], found[row] = pose, True
    write_npz(
        arguments.output,
        {"global_orient": poses[:, :3], "body_pose": poses[:, 3:], "found": found},
    )


if __name__ == "__main__":
    run(main)
