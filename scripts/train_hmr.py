"""Train the diffusion HMR base on labelled pictures."""

import argparse
from pathlib import Path

from poseloop.body.model import load_body
from poseloop.hmr.config import BaseConfig
from poseloop.hmr.detection import load_encoder
from poseloop.hmr.store import load_labelled
from poseloop.hmr.training import train_base
from poseloop.multiview.fitting import write_log
from poseloop.runtime.checkpoints import Checkpoints, run_key
from poseloop.runtime.cli import run
from poseloop.runtime.config import load_config
from poseloop.runtime.device import choose_device
from poseloop.runtime.files import write_json
from poseloop.runtime.seeds import make_deterministic


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="hmr.yaml")
    parser.add_argument("--body", type=Path, required=True)
    parser.add_argument("--encoder", type=Path, required=True, help="the encoder's weights")
    parser.add_argument("--images", type=Path, required=True)
    parser.add_argument("--labels", type=Path, required=True)
    parser.add_argument("--validation", type=Path, required=True, help="pictures")
    parser.add_argument("--validation-labels", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True, help="weights (.safetensors)")
    parser.add_argument("--metrics", type=Path, required=True)
    parser.add_argument("--log", type=Path, required=True)
    arguments = parser.parse_args()

    config = load_config(arguments.config, BaseConfig)
    make_deterministic(config.seed, config.threads)
    inputs = [
        arguments.config,
        arguments.body,
        arguments.encoder,
        arguments.images,
        arguments.labels,
        arguments.validation,
        arguments.validation_labels,
    ]
    checkpoints = Checkpoints(run_key(__file__, inputs), config.checkpoint_every)
    model, rows = train_base(
        config,
        load_body(arguments.body),
        load_encoder(arguments.encoder, config.encoder),
        load_labelled(arguments.images, arguments.labels),
        load_labelled(arguments.validation, arguments.validation_labels),
        checkpoints,
        choose_device(config.device),
    )
    model.save(arguments.output)
    write_log(arguments.log, rows)
    write_json(
        arguments.metrics,
        {name: round(value, 3) for name, value in rows[-1].items() if name != "step"},
    )
    checkpoints.discard()


if __name__ == "__main__":
    run(main)
