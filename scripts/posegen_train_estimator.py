"""Train one estimator of posegen_estimators.yaml on its picture set."""

import argparse
from pathlib import Path

from poseloop.body.model import load_body
from poseloop.multiview.fitting import write_log
from poseloop.posegen.config_estimators import EstimatorsConfig
from poseloop.posegen.config_images import ImageSetsConfig
from poseloop.posegen.estimator_training import save_estimator, surface_body, train_estimator
from poseloop.posegen.imageset import ImageSet
from poseloop.runtime.checkpoints import Checkpoints, run_key
from poseloop.runtime.cli import run
from poseloop.runtime.config import load_config
from poseloop.runtime.device import choose_device
from poseloop.runtime.errors import UserError
from poseloop.runtime.seeds import make_deterministic


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="posegen_estimators.yaml")
    parser.add_argument("--image-config", type=Path, required=True, help="posegen_images.yaml")
    parser.add_argument("--estimator", required=True, help="a key of `estimators` in the config")
    parser.add_argument("--body", type=Path, required=True, help="body model file or folder")
    parser.add_argument("--images", type=Path, required=True, help="its picture set (.npz)")
    parser.add_argument("--validation", type=Path, nargs="+", required=True, help="picture sets")
    parser.add_argument("--output", type=Path, required=True, help="weights (.safetensors)")
    parser.add_argument("--log", type=Path, required=True, help="training log (.csv)")
    arguments = parser.parse_args()

    config = load_config(arguments.config, EstimatorsConfig)
    points = load_config(arguments.image_config, ImageSetsConfig).surface_points
    if arguments.estimator not in config.estimators:
        raise UserError(f"{arguments.config}: estimators: no {arguments.estimator!r}")
    make_deterministic(config.seed, config.threads)
    images = ImageSet.load(arguments.images)
    inputs = [arguments.config, arguments.body, arguments.images, *arguments.validation]
    key = run_key(__file__, inputs, arguments.estimator)
    checkpoints = Checkpoints(key, config.checkpoint_every)
    body = surface_body(load_body(arguments.body), points)
    estimator, rows = train_estimator(
        config,
        arguments.estimator,
        images,
        {path.stem: ImageSet.load(path) for path in arguments.validation},
        body.to(choose_device(config.device)),
        checkpoints,
    )
    entry = config.estimators[arguments.estimator]
    save_estimator(arguments.output, estimator, entry, images.rgb.shape[1])
    write_log(arguments.log, rows)
    checkpoints.discard()


if __name__ == "__main__":
    run(main)
