"""Train HMR-Scorer on ranked candidates."""

import argparse
from pathlib import Path

from poseloop.body.model import load_body
from poseloop.hmr.candidates import Candidates
from poseloop.hmr.denoiser import load_hmr
from poseloop.hmr.scorer_config import ScorerConfig
from poseloop.hmr.scorer_training import train_scorer
from poseloop.hmr.store import Pictures, load_labelled
from poseloop.multiview.fitting import write_log
from poseloop.runtime.checkpoints import Checkpoints, run_key
from poseloop.runtime.cli import run
from poseloop.runtime.config import load_config
from poseloop.runtime.device import choose_device
from poseloop.runtime.files import sha256, write_json
from poseloop.runtime.seeds import make_deterministic


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="hmr_scorer.yaml")
    parser.add_argument("--body", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True, help="the base's weights")
    parser.add_argument("--images", type=Path, required=True)
    parser.add_argument("--labels", type=Path, required=True)
    parser.add_argument("--candidates", type=Path, required=True)
    parser.add_argument("--validation", type=Path, required=True, help="pictures")
    parser.add_argument("--validation-candidates", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True, help="weights (.safetensors)")
    parser.add_argument("--metrics", type=Path, required=True)
    parser.add_argument("--log", type=Path, required=True)
    arguments = parser.parse_args()

    config = load_config(arguments.config, ScorerConfig)
    make_deterministic(config.seed, config.threads)
    inputs = [
        arguments.config,
        arguments.body,
        arguments.model,
        arguments.images,
        arguments.labels,
        arguments.candidates,
        arguments.validation,
        arguments.validation_candidates,
    ]
    checkpoints = Checkpoints(run_key(__file__, inputs), config.checkpoint_every)
    data, body = load_labelled(arguments.images, arguments.labels), load_body(arguments.body)
    scorer, rows = train_scorer(
        config,
        load_hmr(arguments.model, body).to(choose_device(config.device)),
        body,
        (*data, Candidates.load(arguments.candidates)),
        (Pictures.load(arguments.validation), Candidates.load(arguments.validation_candidates)),
        checkpoints,
    )
    scorer.save(arguments.output, sha256(arguments.model))
    write_log(arguments.log, rows)
    write_json(
        arguments.metrics,
        {name: round(value, 4) for name, value in rows[-1].items() if name != "step"},
    )
    checkpoints.discard()


if __name__ == "__main__":
    run(main)
