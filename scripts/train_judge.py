"""Train the independent pose judge and report its error on true pictures of held-out scans."""

import argparse
from pathlib import Path

import numpy as np

from poseloop.evaluate.config import JudgeConfig
from poseloop.evaluate.judge_training import read_judge_scans, train_judge
from poseloop.evaluate.pose import PoseJudge
from poseloop.runtime.checkpoints import Checkpoints, run_key
from poseloop.runtime.cli import run
from poseloop.runtime.config import load_config
from poseloop.runtime.device import choose_device
from poseloop.runtime.files import write_json
from poseloop.runtime.seeds import make_deterministic


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="judge.yaml")
    parser.add_argument("--scans", type=Path, required=True, help="the judge's own scans")
    parser.add_argument("--validation", type=Path, nargs="+", required=True, help="held-out scans")
    parser.add_argument("--output", type=Path, required=True, help="weights (.safetensors)")
    parser.add_argument("--metrics", type=Path, required=True, help="metrics (.json)")
    arguments = parser.parse_args()

    config = load_config(arguments.config, JudgeConfig)
    make_deterministic(config.seed, config.threads)
    scans = read_judge_scans(arguments.scans)
    checkpoints = Checkpoints(
        run_key(__file__, [arguments.config, arguments.scans]), config.checkpoint_every
    )
    losses = []

    def log(step: int, loss: float) -> None:
        losses.append(loss)
        if step % 50 == 0:
            print(f"step {step}: loss {np.mean(losses[-50:]):.4f}", flush=True)

    network = train_judge(scans, config, choose_device(config.device), checkpoints, log)
    judge = PoseJudge(network, config.triangulation, config.pck_mm)
    metrics = {"train_loss": round(float(np.mean(losses[-50:])), 5)}
    for path in arguments.validation:
        scans = read_judge_scans(path)
        few = slice(config.validation_subjects)
        views = scans["rgb"][few], scans["normal"][few], scans["azimuths"]
        joints = judge.joints(*views, config.batch)
        errors = judge.errors(joints, scans["joints"][few], scans["metres_per_unit"][few])
        for name, values in errors.items():
            metrics[f"{name}_{path.stem}"] = round(float(values.mean()), 3)
    judge.save(arguments.output)
    write_json(arguments.metrics, metrics)
    checkpoints.discard()


if __name__ == "__main__":
    run(main)
