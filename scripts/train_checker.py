"""Train the keypoint check of drawn frames, and measure it on true renders that it never saw."""

import argparse
from pathlib import Path

import numpy as np

from poseloop.data.clipset import ClipSet
from poseloop.evaluate.config import JudgeConfig
from poseloop.evaluate.judge_training import read_judge_scans, train_judge
from poseloop.evaluate.keypoints import colours_alone, find_joints, joint_errors, leave_out_clips
from poseloop.evaluate.pose import PoseJudge
from poseloop.runtime.checkpoints import Checkpoints, run_key
from poseloop.runtime.cli import run
from poseloop.runtime.config import load_config
from poseloop.runtime.device import choose_device
from poseloop.runtime.files import read_npz, write_json
from poseloop.runtime.seeds import make_deterministic


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="judge.yaml")
    parser.add_argument("--scans", type=Path, required=True, help="the judge's own scans")
    parser.add_argument("--held-out", type=Path, required=True, help="sequences to leave out")
    parser.add_argument("--output", type=Path, required=True, help="weights (.safetensors)")
    parser.add_argument("--metrics", type=Path, required=True, help="metrics (.json)")
    arguments = parser.parse_args()

    config = load_config(arguments.config, JudgeConfig)
    make_deterministic(config.seed, config.threads)
    held_out = ClipSet.load(arguments.held_out)
    scans = leave_out_clips(
        read_judge_scans(arguments.scans),
        read_npz(arguments.scans, "clip", only=True)["clip"],
        held_out.clip.tolist(),
    )
    checkpoints = Checkpoints(
        run_key(__file__, [arguments.config, arguments.scans, arguments.held_out]),
        config.checkpoint_every,
    )
    network = train_judge(colours_alone(scans), config, choose_device(config.device), checkpoints)
    pictures = held_out.rgb.reshape(-1, *held_out.rgb.shape[2:])
    found = find_joints(network, pictures, config.batch).reshape(held_out.joints2d.shape)
    errors = joint_errors(found, held_out.joints2d, held_out.window, held_out.metres_per_unit)
    PoseJudge(network, config.triangulation, config.pck_mm).save(arguments.output)
    write_json(
        arguments.metrics,
        {
            "scans": len(scans["joints"]),
            "keypoint_error_mm": round(float(errors.mean()), 3),
            "keypoint_error_mm_median": round(float(np.median(errors)), 3),
        },
    )
    checkpoints.discard()


if __name__ == "__main__":
    run(main)
