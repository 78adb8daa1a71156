"""Fine-tune the diffusion HMR base by preferences: one variant, all its seeds.

The seeds share one job, because encoding the pictures costs as much as a training.
"""

import argparse
from pathlib import Path

from poseloop.body.model import load_body
from poseloop.hmr.dataset import encode_pictures
from poseloop.hmr.denoiser import load_hmr
from poseloop.hmr.preferences import read_preferences
from poseloop.hmr.store import Pictures, load_labelled
from poseloop.hmr.training import validate
from poseloop.hmr.tune import finetune
from poseloop.hmr.tune_batch import Source
from poseloop.hmr.tune_config import TuneConfig
from poseloop.multiview.fitting import write_log
from poseloop.runtime.checkpoints import Checkpoints, run_key
from poseloop.runtime.cli import run
from poseloop.runtime.config import load_config
from poseloop.runtime.device import choose_device
from poseloop.runtime.errors import UserError
from poseloop.runtime.seeds import make_deterministic


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--config", type=Path, required=True, help="adhmr.yaml")
    parser.add_argument("--variant", required=True, help="a key of `variants` in the config")
    parser.add_argument("--body", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True, help="the base's weights")
    parser.add_argument(
        "--preferences", type=Path, nargs="+", required=True, help="<source>/manifest.json"
    )
    parser.add_argument(
        "--images", type=Path, nargs="+", required=True, help="pictures of each, in that order"
    )
    parser.add_argument("--validation", type=Path, required=True, help="pictures")
    parser.add_argument("--validation-labels", type=Path, required=True)
    parser.add_argument(
        "--output", type=Path, nargs="+", required=True, help="weights, one for each seed"
    )
    parser.add_argument("--log", type=Path, nargs="+", required=True, help="CSV for each seed")
    arguments = parser.parse_args()

    config = load_config(arguments.config, TuneConfig)
    if arguments.variant not in config.variants:
        raise UserError(f"{arguments.config}: variants: no variant called {arguments.variant!r}")
    variant = config.variants[arguments.variant]
    make_deterministic(0, config.threads)
    base = load_hmr(arguments.model, load_body(arguments.body))
    base = base.to(choose_device(config.device))
    sources = {}
    for manifest, images in zip(arguments.preferences, arguments.images, strict=True):
        preferences = read_preferences(manifest, arguments.model)
        pictures = Pictures.load(images)[preferences.picture.numpy()]
        encoded = encode_pictures(base.encoder, pictures)
        sources[manifest.parent.name] = Source(pictures, encoded, preferences)
    missing = sorted(set(variant.sources) - set(sources))
    if missing:
        raise UserError(
            f"{arguments.config}: variants.{arguments.variant}.sources: no preferences "
            f"of {', '.join(missing)}"
        )
    held_out = load_labelled(arguments.validation, arguments.validation_labels)
    inputs = [
        arguments.config,
        arguments.body,
        arguments.model,
        *arguments.preferences,
        *arguments.images,
        arguments.validation,
        arguments.validation_labels,
    ]
    for seed, output, log in zip(config.seeds, arguments.output, arguments.log, strict=True):
        key = run_key(__file__, inputs, arguments.variant, seed)
        checkpoints = Checkpoints(key, config.checkpoint_every)
        tuned, rows = finetune(
            base,
            sources,
            config,
            variant,
            seed,
            lambda model: validate(model, *held_out, 0),
            checkpoints,
        )
        tuned.save(output)
        write_log(log, rows)
        checkpoints.discard()


if __name__ == "__main__":
    run(main)
