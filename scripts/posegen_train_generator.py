"""Warm up the generators of all seeds on the motion prior, without feedback."""

import argparse
from pathlib import Path

import torch

from poseloop.body.model import load_body
from poseloop.data.mix import read_mix
from poseloop.data.poses import draw_poses
from poseloop.multiview.fitting import write_log
from poseloop.posegen.config import PosegenConfig
from poseloop.posegen.generator import Bounds, pose_vectors
from poseloop.posegen.generator_training import Gan, warm_up
from poseloop.runtime.checkpoints import Checkpoints, run_key
from poseloop.runtime.cli import run
from poseloop.runtime.config import load_config
from poseloop.runtime.device import choose_device
from poseloop.runtime.seeds import make_deterministic, numpy_rng
from poseloop.runtime.weights import write_weights

_POSES = 4000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="posegen.yaml")
    parser.add_argument("--body", type=Path, required=True, help="body model file or folder")
    parser.add_argument("--clips", type=Path, required=True, help="motion/clips.npz")
    parser.add_argument("--output", type=Path, required=True, help="weights (.safetensors)")
    parser.add_argument("--log", type=Path, required=True, help="last losses of each seed (.csv)")
    arguments = parser.parse_args()

    config = load_config(arguments.config, PosegenConfig)
    make_deterministic(config.seeds[0], config.threads)
    motion = config.generator.motion
    recorded = read_mix(motion, load_body(arguments.body), arguments.clips)
    mixes = {"prior": motion, "starts": motion.model_copy(update=dict(config.generator.starts))}
    vectors = {
        name: pose_vectors(
            draw_poses(recorded, mix, _POSES, numpy_rng(config.seeds[0], "posegen", name))
        )
        for name, mix in mixes.items()
    }
    bounds = Bounds(config.generator, vectors["starts"])
    device = choose_device(config.device)
    checkpoints = Checkpoints(
        run_key(__file__, [arguments.config, arguments.body, arguments.clips]), 1
    )
    state = checkpoints.restore() or {"weights": {}, "rows": []}
    weights, rows = state["weights"], state["rows"]
    for number, seed in enumerate(config.seeds[len(rows) :], len(rows) + 1):
        gan = Gan(config, bounds, seed).to(device)
        rows.append({"seed": seed, **warm_up(config, gan, seed)})
        weights |= {f"seed{seed}.{name}": value for name, value in gan.state_dict().items()}
        checkpoints.save(number, {"weights": weights, "rows": rows}.copy)
    weights |= {name: torch.from_numpy(poses) for name, poses in vectors.items()}
    write_weights(arguments.output, weights, {"generator": config.seeds})
    write_log(arguments.log, rows)
    checkpoints.discard()


if __name__ == "__main__":
    run(main)
