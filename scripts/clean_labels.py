"""Leave labels out, by their score or by chance, and retrain on the rest."""

import argparse
from pathlib import Path

import numpy as np

from poseloop.body.model import load_body
from poseloop.hmr.cleaning import (
    best_first,
    kept_rows,
    label_scores,
    make_wrong,
    precision,
    random_order,
    regressor_errors,
    train_regressor,
    usual_scores,
)
from poseloop.hmr.dataset import bodies_of, encode_pictures
from poseloop.hmr.denoiser import load_hmr
from poseloop.hmr.evaluation_config import CleaningConfig
from poseloop.hmr.scorer import load_scorer
from poseloop.hmr.store import load_labelled
from poseloop.hmr.values import write_values
from poseloop.runtime.checkpoints import Checkpoints, run_key
from poseloop.runtime.cli import run
from poseloop.runtime.config import load_config
from poseloop.runtime.device import choose_device
from poseloop.runtime.seeds import make_deterministic


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="hmr_cleaning.yaml")
    parser.add_argument("--body", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True, help="the base's weights")
    parser.add_argument(
        "--scorer",
        type=Path,
        help="keeps the best-scored; without it chance keeps, and regressors learn from all labels "
        "and from the right ones too",
    )
    parser.add_argument("--images", type=Path, required=True, help="pictures to clean")
    parser.add_argument("--labels", type=Path, required=True)
    parser.add_argument("--test-images", type=Path, nargs="+", required=True)
    parser.add_argument("--test-labels", type=Path, nargs="+", required=True)
    parser.add_argument("--output", type=Path, nargs="+", required=True, help="one for each seed")
    arguments = parser.parse_args()

    config = load_config(arguments.config, CleaningConfig)
    make_deterministic(0, config.threads)
    body, device = load_body(arguments.body), choose_device(config.device)
    base = load_hmr(arguments.model, body).to(device)
    scorer = load_scorer(arguments.scorer, body).to(device) if arguments.scorer else None
    keeper = "scorer" if scorer else "random"
    pictures, labels = load_labelled(arguments.images, arguments.labels)
    data = encode_pictures(base.encoder, pictures)
    tests = {}
    for images, truth in zip(arguments.test_images, arguments.test_labels, strict=True):
        seen, bodies = load_labelled(images, truth)
        tests[images.stem] = (encode_pictures(base.encoder, seen), bodies)
    inputs = [arguments.config, arguments.body, arguments.model, arguments.images, arguments.labels]
    if scorer:
        inputs.append(arguments.scorer)
        usual = usual_scores(scorer, base, pictures, data, config.hypotheses, 0)
    for seed, output in zip(config.seeds, arguments.output, strict=True):
        faulty, wrong = make_wrong(bodies_of(labels), config, seed)
        tokens = base.layout.encode(faulty.to(device), data.intrinsics)
        if scorer:
            scores = label_scores(scorer, base, pictures, tokens, usual)
            order, subsets = best_first(scores), {}
        else:
            order = random_order(len(tokens), seed)
            subsets = {"all": np.arange(len(tokens)), "right": np.flatnonzero(~wrong)}
        found = {}
        for share in config.keep:
            name = f"{keeper}_{round(100 * share)}"
            subsets[name] = kept_rows(order, share)
            found[name] = {"precision": [precision(subsets[name], wrong)]}
        values = {"labels": found}
        for name, rows in subsets.items():
            never = Checkpoints(run_key(__file__, inputs, seed, name), config.steps + 1)
            network = train_regressor(base, data, tokens, rows, config, seed, never)
            for test, truth in tests.items():
                values.setdefault(test, {})[name] = regressor_errors(network, base, *truth)
        write_values(output, values)


if __name__ == "__main__":
    run(main)
