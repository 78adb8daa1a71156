"""Evaluate one estimator, as every method and seed left it, on the test sets."""

import argparse
from pathlib import Path

import numpy as np

from poseloop.body.model import load_body
from poseloop.evaluate.estimators import evaluate_estimator, load_tuned, true_surface
from poseloop.posegen.config_images import ImageSetsConfig
from poseloop.posegen.estimator_training import surface_body
from poseloop.posegen.imageset import ImageSet
from poseloop.runtime.cli import run
from poseloop.runtime.config import load_config
from poseloop.runtime.device import choose_device
from poseloop.runtime.files import write_npz
from poseloop.runtime.seeds import make_deterministic


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="posegen_images.yaml")
    parser.add_argument("--body", type=Path, required=True, help="body model file or folder")
    parser.add_argument(
        "--models", type=Path, nargs="+", required=True, help="of all seeds, in order"
    )
    parser.add_argument("--images", type=Path, nargs="+", required=True, help="test sets")
    parser.add_argument("--output", type=Path, required=True, help="errors of each picture (.npz)")
    arguments = parser.parse_args()

    config = load_config(arguments.config, ImageSetsConfig)
    make_deterministic(config.seed, 1)
    body = surface_body(load_body(arguments.body), config.surface_points)
    body = body.to(choose_device(config.device))
    sets = {path.stem: ImageSet.load(path) for path in arguments.images}
    surfaces = {name: true_surface(images, body) for name, images in sets.items()}
    tables: dict[str, list[np.ndarray]] = {}
    for path in arguments.models:
        for method, estimator in load_tuned(path, body).items():
            for name, images in sets.items():
                errors = evaluate_estimator(estimator, images, surfaces[name], body)
                for metric, values in errors.items():
                    tables.setdefault(f"{method}/{name}/{metric}", []).append(values)
    write_npz(arguments.output, {key: np.stack(rows) for key, rows in tables.items()})


if __name__ == "__main__":
    run(main)
