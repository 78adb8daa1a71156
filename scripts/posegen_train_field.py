"""Train one articulated field on the captures."""

import argparse
from pathlib import Path

from poseloop.body.model import load_body
from poseloop.multiview.fitting import write_log
from poseloop.posegen.config_nerf import NerfConfig
from poseloop.posegen.estimator_training import surface_body
from poseloop.posegen.imageset import ImageSet
from poseloop.posegen.nerf_training import save_field, train_field
from poseloop.runtime.checkpoints import Checkpoints, run_key
from poseloop.runtime.cli import run
from poseloop.runtime.config import load_config
from poseloop.runtime.device import choose_device
from poseloop.runtime.seeds import make_deterministic


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="posegen_nerf.yaml")
    parser.add_argument("--field", choices=["parts", "relative"], required=True)
    parser.add_argument("--body", type=Path, required=True, help="body model file or folder")
    parser.add_argument("--captures", type=Path, required=True, help="training captures (.npz)")
    parser.add_argument("--output", type=Path, required=True, help="weights (.safetensors)")
    parser.add_argument("--log", type=Path, required=True, help="training log (.csv)")
    arguments = parser.parse_args()

    config = load_config(arguments.config, NerfConfig)
    make_deterministic(config.seed, config.threads)
    # Fields know skeletons only: no surface point is used.
    body = surface_body(load_body(arguments.body), 1)
    key = run_key(__file__, [arguments.config, arguments.body, arguments.captures], arguments.field)
    checkpoints = Checkpoints(key, config.checkpoint_every)
    captures = ImageSet.load(arguments.captures)
    device = choose_device(config.device)
    field, betas, rows = train_field(config, arguments.field, captures, body, checkpoints, device)
    save_field(arguments.output, field, betas, body)
    write_log(arguments.log, rows)
    checkpoints.discard()


if __name__ == "__main__":
    run(main)
