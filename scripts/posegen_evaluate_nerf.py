"""Measure both fields on held-out views and poses, and the labels of the fast field's pictures."""

import argparse
import time
from pathlib import Path

import numpy as np

from poseloop.body.model import load_body
from poseloop.evaluate.fields import compare_fields, feedback_values, fidelity_of_field
from poseloop.posegen.config import PosegenConfig
from poseloop.posegen.config_images import ImageSetsConfig
from poseloop.posegen.config_nerf import NerfConfig
from poseloop.posegen.estimator_training import load_estimator, surface_body
from poseloop.posegen.imageset import ImageSet
from poseloop.posegen.loading import load_gan, load_stage
from poseloop.posegen.nerf_training import load_field
from poseloop.runtime.cli import run
from poseloop.runtime.config import load_config
from poseloop.runtime.device import choose_device
from poseloop.runtime.files import write_json, write_npz
from poseloop.runtime.seeds import make_deterministic


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="posegen.yaml")
    parser.add_argument("--image-config", type=Path, required=True, help="posegen_images.yaml")
    parser.add_argument("--nerf-config", type=Path, required=True, help="posegen_nerf.yaml")
    parser.add_argument("--body", type=Path, required=True, help="body model file or folder")
    parser.add_argument("--fields", type=Path, nargs=2, required=True, help="parts, relative")
    parser.add_argument("--held-out", type=Path, nargs=2, required=True, help="view, pose (.npz)")
    parser.add_argument("--estimator", type=Path, required=True, help="weights, for feedback")
    parser.add_argument("--check", type=Path, required=True, help="weights of the keypoint check")
    parser.add_argument("--generator", type=Path, required=True, help="warmed-up generators")
    parser.add_argument("--anchor", type=Path, required=True, help="ordinary pictures")
    parser.add_argument("--validation", type=Path, required=True, help="validation pictures")
    parser.add_argument("--output", type=Path, required=True, help="values of each picture (.json)")
    parser.add_argument("--pictures", type=Path, required=True, help="turntables, pairs (.npz)")
    arguments = parser.parse_args()

    config = load_config(arguments.config, PosegenConfig)
    nerf = load_config(arguments.nerf_config, NerfConfig)
    points = load_config(arguments.image_config, ImageSetsConfig).surface_points
    make_deterministic(nerf.seed, nerf.threads)
    body = load_body(arguments.body)
    device = choose_device(nerf.device)
    compact = surface_body(body, points).to(device)
    fields = {path.stem: load_field(path)[0].to(device) for path in arguments.fields}
    held_out = {path.stem: ImageSet.load(path) for path in arguments.held_out}
    values, pictures, speed = compare_fields(fields, held_out, compact, nerf, time.process_time)
    # Times differ from run to run: they go to the log, never into a tracked file.
    for name, rate in speed.items():
        print(f"{name}: {rate:.1f} pictures a second on one core")
    gan, prior = load_gan(arguments.generator, config, config.seeds[0], device)
    data = [arguments.anchor, arguments.validation, arguments.check, arguments.fields[0]]
    stage = load_stage(config, nerf, body, compact, prior, gan.bounds, *data)
    values |= fidelity_of_field(stage, gan, config.seeds[0])
    base, _ = load_estimator(arguments.estimator, compact)
    values |= feedback_values(stage, gan, base.requires_grad_(False), config.seeds[0])
    write_json(arguments.output, {key: np.round(rows, 5).tolist() for key, rows in values.items()})
    write_npz(arguments.pictures, pictures)


if __name__ == "__main__":
    run(main)
