"""Make one source of preference pairs: shards and their manifest.

A `scored` source is given pictures alone; --labels is for a `labelled` source.
"""

import argparse
from pathlib import Path

from poseloop.body.model import load_body
from poseloop.hmr.denoiser import load_hmr
from poseloop.hmr.preference_config import PreferencesConfig
from poseloop.hmr.preferences import (
    labelled_preferences,
    scored_preferences,
    write_preferences,
)
from poseloop.hmr.scorer import load_scorer
from poseloop.hmr.store import Pictures, load_labelled
from poseloop.runtime.cli import run
from poseloop.runtime.config import load_config
from poseloop.runtime.device import choose_device
from poseloop.runtime.errors import UserError
from poseloop.runtime.files import sha256
from poseloop.runtime.seeds import make_deterministic


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--config", type=Path, required=True, help="hmr_preferences.yaml")
    parser.add_argument("--source", required=True, help="a key of `sources` in the config")
    parser.add_argument("--body", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True, help="the base's weights")
    parser.add_argument("--scorer", type=Path, help="for a scored source")
    parser.add_argument("--images", type=Path, required=True)
    parser.add_argument("--labels", type=Path, help="for a labelled source")
    parser.add_argument("--shards", type=Path, nargs="+", required=True, help="files to write")
    parser.add_argument("--manifest", type=Path, required=True)
    arguments = parser.parse_args()

    config = load_config(arguments.config, PreferencesConfig)
    if arguments.source not in config.sources:
        raise UserError(f"{arguments.config}: sources: no source called {arguments.source!r}")
    source = config.sources[arguments.source]
    make_deterministic(config.seed, config.threads)
    body, device = load_body(arguments.body), choose_device(config.device)
    model = load_hmr(arguments.model, body).to(device)
    name, seed, rows = arguments.source, config.seed, slice(source.pictures)
    about = {
        "images": {arguments.images.name: sha256(arguments.images)},
        "kind": source.kind,
        "source": name,
    }
    if source.kind == "scored":
        if arguments.labels is not None:
            raise UserError(f"--labels: the source {name} is scored and must not see labels")
        if arguments.scorer is None:
            raise UserError(f"--scorer: the source {name} is scored and needs one")
        pictures = Pictures.load(arguments.images)[rows]
        scorer = load_scorer(arguments.scorer, body).to(device)
        preferences = scored_preferences(
            model, scorer, pictures, source.hypotheses, config.pairing, seed, name
        )
        about["pairing"] = config.pairing.model_dump()
        about["scorer_sha256"] = sha256(arguments.scorer)
    else:
        if arguments.labels is None:
            raise UserError(f"--labels: the source {name} is labelled and needs them")
        pictures, labels = load_labelled(arguments.images, arguments.labels)
        preferences = labelled_preferences(
            model, pictures[rows], labels[rows], source.hypotheses, seed, name
        )
    write_preferences(arguments.shards, arguments.manifest, preferences, arguments.model, about)


if __name__ == "__main__":
    run(main)
