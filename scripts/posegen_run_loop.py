"""Run the loop of every method on one estimator with one seed."""

import argparse
from pathlib import Path

from poseloop.body.model import load_body
from poseloop.multiview.fitting import write_log
from poseloop.posegen.config import PosegenConfig
from poseloop.posegen.config_images import ImageSetsConfig
from poseloop.posegen.config_nerf import NerfConfig
from poseloop.posegen.estimator_training import load_estimator, surface_body
from poseloop.posegen.loading import load_gan, load_stage
from poseloop.posegen.loop import make_start, run_loop
from poseloop.runtime.checkpoints import Checkpoints, run_key
from poseloop.runtime.cli import run
from poseloop.runtime.config import load_config
from poseloop.runtime.device import choose_device
from poseloop.runtime.errors import UserError
from poseloop.runtime.files import write_npz
from poseloop.runtime.seeds import make_deterministic
from poseloop.runtime.weights import write_weights


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="posegen.yaml")
    parser.add_argument("--image-config", type=Path, required=True, help="posegen_images.yaml")
    parser.add_argument("--nerf-config", type=Path, required=True, help="posegen_nerf.yaml")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--body", type=Path, required=True, help="body model file or folder")
    parser.add_argument("--estimator", type=Path, required=True, help="its base weights")
    parser.add_argument("--check", type=Path, required=True, help="weights of the keypoint check")
    parser.add_argument("--field", type=Path, required=True, help="weights of the fast field")
    parser.add_argument("--generator", type=Path, required=True, help="warmed-up generators")
    parser.add_argument("--anchor", type=Path, required=True, help="ordinary pictures")
    parser.add_argument("--validation", type=Path, required=True, help="validation pictures")
    parser.add_argument("--methods", nargs="*", help="only these methods of the config")
    parser.add_argument("--output", type=Path, required=True, help="all weights (.safetensors)")
    parser.add_argument("--log", type=Path, required=True, help="one row per method and round")
    parser.add_argument("--examples", type=Path, required=True, help="pictures, hardness (.npz)")
    arguments = parser.parse_args()

    config = load_config(arguments.config, PosegenConfig)
    unknown = sorted(set(arguments.methods or ()) - set(config.methods))
    if unknown:
        raise UserError(f"{arguments.config}: methods: no {', '.join(unknown)}")
    nerf = load_config(arguments.nerf_config, NerfConfig)
    points = load_config(arguments.image_config, ImageSetsConfig).surface_points
    make_deterministic(arguments.seed, config.threads)
    body = load_body(arguments.body)
    device = choose_device(config.device)
    compact = surface_body(body, points).to(device)
    name = arguments.estimator.stem
    base, entry = load_estimator(arguments.estimator, compact)
    gan, prior = load_gan(arguments.generator, config, arguments.seed, device)
    data = [arguments.anchor, arguments.validation, arguments.check, arguments.field]
    stage = load_stage(config, nerf, body, compact, prior, gan.bounds, *data)
    configs = [arguments.config, arguments.image_config, arguments.nerf_config]
    inputs = [*configs, arguments.body, arguments.estimator, arguments.generator, *data]
    key = run_key(__file__, inputs, arguments.seed)
    start = make_start(stage, base.requires_grad_(False), entry, arguments.seed)

    weights, rows, examples, done = {}, [], {}, []
    for method in arguments.methods or config.methods:
        if not config.estimators_of(method, [name]):
            continue
        checkpoints = Checkpoints(f"{key}-{method}", 1)
        outcome = run_loop(method, start, gan, checkpoints)
        done.append(checkpoints)
        state = outcome.estimator.state_dict()
        weights |= {f"{method}.{part}": value for part, value in state.items()}
        rows += [{"method": method, **row} for row in outcome.rows]
        examples[f"{method}_hardness"] = outcome.hardness
        if outcome.examples is not None:
            for field in ("rgb", "joints", "camera"):
                examples[f"{method}_{field}"] = getattr(outcome.examples, field)
    methods = list(dict.fromkeys(row["method"] for row in rows))
    size = stage.anchor.rgb.shape[1]
    metadata = {"estimator": entry.model_dump(), "size": size, "methods": methods}
    write_weights(arguments.output, weights, metadata)
    write_log(arguments.log, rows)
    write_npz(arguments.examples, examples)
    for checkpoints in done:
        checkpoints.discard()


if __name__ == "__main__":
    run(main)
