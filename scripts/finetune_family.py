"""Fine-tune the multi-view base by one arm of the family or of the ablations, with one seed."""

import argparse
from pathlib import Path

import torch

from poseloop.multiview.dataset import read_latents
from poseloop.multiview.fitting import write_log
from poseloop.multiview.loading import load_multiview
from poseloop.reward.family.config import FamilyConfig
from poseloop.reward.family.reward import make_reward
from poseloop.reward.family.training import train_arm
from poseloop.reward.jointscore import JointScore
from poseloop.reward.posescore import load_posescore
from poseloop.runtime.checkpoints import Checkpoints, run_key
from poseloop.runtime.cli import run
from poseloop.runtime.config import load_config
from poseloop.runtime.device import choose_device
from poseloop.runtime.errors import UserError
from poseloop.runtime.files import read_npz, write_json
from poseloop.runtime.seeds import make_deterministic
from poseloop.runtime.weights import write_weights


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="family.yaml or ablations.yaml")
    parser.add_argument("--arm", required=True, help="a key of `arms` in the config")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--multiview", type=Path, required=True)
    parser.add_argument("--posescore", type=Path, required=True)
    parser.add_argument("--poses", type=Path, required=True, help="poseset/images.npz")
    parser.add_argument("--poseset", type=Path, required=True, help="its latents")
    parser.add_argument("--latents", type=Path, required=True)
    parser.add_argument("--oracle", type=Path, help="from make_oracle.py, where the arm needs it")
    parser.add_argument("--jointscore", type=Path, help="where the arm is rewarded by joints")
    parser.add_argument("--validation", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--log", type=Path, required=True)
    parser.add_argument("--metrics", type=Path, required=True)
    parser.add_argument("--snapshots", type=Path, required=True, help="weights along the run")
    arguments = parser.parse_args()

    config = load_config(arguments.config, FamilyConfig)
    if arguments.arm not in config.arms:
        raise UserError(f"{arguments.config}: arms: no arm called {arguments.arm!r}")
    make_deterministic(arguments.seed, config.threads)
    device = choose_device(config.device)
    base, base_config = load_multiview(arguments.multiview, device)
    posescore = load_posescore(arguments.posescore, device)
    held_out = read_latents(arguments.validation, with_views=True)
    optional = [path for path in (arguments.oracle, arguments.jointscore) if path]
    inputs = [
        arguments.config,
        arguments.multiview,
        arguments.posescore,
        arguments.poses,
        arguments.poseset,
        arguments.latents,
        arguments.validation,
        *optional,
    ]
    key = run_key(__file__, inputs, arguments.arm, arguments.seed)
    checkpoints = Checkpoints(key, config.checkpoint_every)
    joints = arguments.jointscore
    jointscore = load_posescore(joints, device, JointScore) if joints else None
    denoiser, rows, snapshots = train_arm(
        base,
        base_config,
        make_reward(config.reward_of(arguments.arm), posescore, jointscore),
        posescore,
        read_latents(arguments.poseset, with_views=False),
        torch.from_numpy(read_npz(arguments.poses, "ordinary")["ordinary"]),
        read_latents(arguments.latents, with_views=True),
        read_latents(arguments.oracle, with_views=True) if arguments.oracle else None,
        {name: held_out.of_group(name) for name in sorted(set(held_out.group))},
        config,
        arguments.arm,
        arguments.seed,
        device,
        checkpoints,
    )
    metadata = {"multiview": base_config.model_dump()}
    write_weights(arguments.output, denoiser.state_dict(), metadata)
    write_weights(arguments.snapshots, snapshots.gather(), metadata)
    write_log(arguments.log, rows)
    last = {name: round(value, 6) for name, value in rows[-1].items() if name != "step"}
    write_json(arguments.metrics, {"samples_seen": config.steps * config.batch_size} | last)
    checkpoints.discard()


if __name__ == "__main__":
    run(main)
