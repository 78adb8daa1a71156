"""Measure a method's hypotheses on the evaluation pictures, all seeds, a value for each picture."""

import argparse
from pathlib import Path

from poseloop.body.model import load_body
from poseloop.hmr.denoiser import load_hmr
from poseloop.hmr.evaluation import measure
from poseloop.hmr.evaluation_config import MeasureConfig
from poseloop.hmr.scorer import load_scorer
from poseloop.hmr.store import load_labelled
from poseloop.hmr.values import write_values
from poseloop.runtime.cli import run
from poseloop.runtime.config import load_config
from poseloop.runtime.device import choose_device
from poseloop.runtime.seeds import make_deterministic


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="hmr_evaluate.yaml")
    parser.add_argument("--body", type=Path, required=True)
    parser.add_argument("--scorer", type=Path, required=True)
    parser.add_argument(
        "--models", type=Path, nargs="+", required=True, help="weights of each seed, or one of all"
    )
    parser.add_argument("--images", type=Path, nargs="+", required=True)
    parser.add_argument("--labels", type=Path, nargs="+", required=True, help="in that order")
    parser.add_argument("--seeds", type=int, nargs="+", required=True)
    parser.add_argument("--output", type=Path, nargs="+", required=True, help="one for each seed")
    arguments = parser.parse_args()

    config = load_config(arguments.config, MeasureConfig)
    make_deterministic(config.seed, config.threads)
    body, device = load_body(arguments.body), choose_device(config.device)
    scorer = load_scorer(arguments.scorer, body).to(device)
    sets = {
        images.stem: load_labelled(images, labels)
        for images, labels in zip(arguments.images, arguments.labels, strict=True)
    }
    models = arguments.models
    if len(models) == 1:
        models = models * len(arguments.seeds)
    for path, seed, output in zip(models, arguments.seeds, arguments.output, strict=True):
        model = load_hmr(path, body).to(device)
        # A regressor has one answer.
        counts = [1] if model.config.diffusion.ddim_steps == 1 else config.counts
        settings = config.model_copy(update={"counts": counts})
        write_values(
            output,
            {name: measure(model, scorer, *data, settings, seed) for name, data in sets.items()},
        )


if __name__ == "__main__":
    run(main)
