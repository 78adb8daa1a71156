"""Make the scorer's candidates: bodies of known error for labelled pictures."""

import argparse
from pathlib import Path

from poseloop.body.model import load_body
from poseloop.hmr.candidates import make_candidates
from poseloop.hmr.denoiser import load_hmr
from poseloop.hmr.scorer_config import CandidatesConfig, ScorerConfig
from poseloop.hmr.store import load_labelled
from poseloop.runtime.cli import run
from poseloop.runtime.config import load_config
from poseloop.runtime.device import choose_device
from poseloop.runtime.seeds import derive_seed, make_deterministic


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="hmr_scorer.yaml")
    parser.add_argument("--body", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True, help="the base's weights")
    parser.add_argument("--images", type=Path, required=True)
    parser.add_argument("--labels", type=Path, required=True)
    parser.add_argument("--validation", type=Path, required=True, help="pictures")
    parser.add_argument("--validation-labels", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--validation-output", type=Path, required=True)
    arguments = parser.parse_args()

    config = load_config(arguments.config, ScorerConfig)
    make_deterministic(config.seed, config.threads)
    model = load_hmr(arguments.model, load_body(arguments.body))
    model = model.to(choose_device(config.device))
    data = load_labelled(arguments.images, arguments.labels)
    make_candidates(model, *data, config.candidates, config.seed).save(arguments.output)
    held_out = load_labelled(arguments.validation, arguments.validation_labels)
    own = CandidatesConfig(
        samples=config.validation_samples, noise_levels=[], orient_share=0, betas_noise=0
    )
    seed = derive_seed(config.seed, "validation")
    make_candidates(model, *held_out, own, seed).save(arguments.validation_output)


if __name__ == "__main__":
    run(main)
