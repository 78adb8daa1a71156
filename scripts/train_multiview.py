"""Train the multi-view diffusion base on scans."""

import argparse
from pathlib import Path

from poseloop.multiview.config import MultiviewConfig
from poseloop.multiview.dataset import read_latents
from poseloop.multiview.fitting import write_log
from poseloop.multiview.training import train_multiview
from poseloop.runtime.checkpoints import Checkpoints, run_key
from poseloop.runtime.cli import run
from poseloop.runtime.config import load_config
from poseloop.runtime.device import choose_device
from poseloop.runtime.files import write_json
from poseloop.runtime.processes import join_processes
from poseloop.runtime.seeds import make_deterministic
from poseloop.runtime.weights import write_weights


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--latents", type=Path, required=True)
    parser.add_argument("--validation", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--metrics", type=Path, required=True)
    parser.add_argument("--log", type=Path, required=True)
    arguments = parser.parse_args()

    config = load_config(arguments.config, MultiviewConfig)
    processes = join_processes(config.device == "cpu")
    make_deterministic(config.seed, config.threads)
    validation = read_latents(arguments.validation, with_views=True)
    checkpoints = Checkpoints(
        run_key(__file__, [arguments.config, arguments.latents, arguments.validation]),
        config.train.checkpoint_every,
    )
    denoiser, rows = train_multiview(
        config,
        read_latents(arguments.latents, with_views=True),
        {name: validation.of_group(name) for name in sorted(set(validation.group))},
        choose_device(config.device),
        checkpoints,
        processes,
    )
    if processes.rank > 0:
        return
    write_weights(arguments.output, denoiser.state_dict(), {"multiview": config.model_dump()})
    write_log(arguments.log, rows)
    write_json(
        arguments.metrics,
        {
            "parameters": sum(parameter.numel() for parameter in denoiser.parameters()),
            "subjects_seen": config.train.steps * config.train.batch_size,
        }
        | {name: round(value, 6) for name, value in rows[-1].items() if name != "step"},
    )
    checkpoints.discard()


if __name__ == "__main__":
    run(main)
