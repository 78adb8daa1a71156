"""Train JointScore on scans."""

import argparse
from pathlib import Path

from poseloop.multiview.dataset import read_latents
from poseloop.multiview.fitting import write_log
from poseloop.multiview.loading import load_multiview
from poseloop.multiview.schedule import make_scheduler
from poseloop.reward.config import PoseScoreConfig
from poseloop.reward.jointscore import JointScore
from poseloop.reward.posescore_training import train_posescore
from poseloop.runtime.checkpoints import Checkpoints, run_key
from poseloop.runtime.cli import run
from poseloop.runtime.config import load_config
from poseloop.runtime.device import choose_device
from poseloop.runtime.seeds import make_deterministic


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="posescore.yaml")
    parser.add_argument("--latents", type=Path, required=True)
    parser.add_argument("--validation", type=Path, required=True)
    parser.add_argument("--multiview", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--log", type=Path, required=True)
    arguments = parser.parse_args()
    config = load_config(arguments.config, PoseScoreConfig)
    make_deterministic(config.seed, config.threads)
    device = choose_device(config.device)
    data = read_latents(arguments.latents, with_views=True)
    held_out = read_latents(arguments.validation, with_views=True)
    denoiser, multiview = load_multiview(arguments.multiview, device)
    inputs = [arguments.config, arguments.latents, arguments.validation, arguments.multiview]
    checkpoints = Checkpoints(run_key(__file__, inputs), config.checkpoint_every)
    jointscore, rows = train_posescore(
        config,
        data,
        {name: held_out.of_group(name) for name in sorted(set(held_out.group))},
        denoiser,
        make_scheduler(multiview.schedule),
        multiview.mirrored_views,
        device,
        checkpoints,
        JointScore,
    )
    jointscore.save(arguments.output)
    write_log(arguments.log, rows)
    checkpoints.discard()


if __name__ == "__main__":
    run(main)
