"""Measure how the scorer and two plain baselines rank the base's own hypotheses."""

import argparse
from pathlib import Path

from poseloop.body.model import load_body
from poseloop.hmr.denoiser import load_hmr
from poseloop.hmr.evaluation_config import MeasureConfig
from poseloop.hmr.scorer import load_scorer
from poseloop.hmr.scorer_report import rank_hypotheses, ranking_metrics
from poseloop.hmr.store import load_labelled
from poseloop.hmr.values import write_values
from poseloop.runtime.cli import run
from poseloop.runtime.config import load_config
from poseloop.runtime.device import choose_device
from poseloop.runtime.files import write_npz
from poseloop.runtime.seeds import make_deterministic


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="hmr_evaluate.yaml")
    parser.add_argument("--body", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True, help="the base's weights")
    parser.add_argument("--scorer", type=Path, required=True)
    parser.add_argument("--images", type=Path, nargs="+", required=True)
    parser.add_argument("--labels", type=Path, nargs="+", required=True, help="in that order")
    parser.add_argument("--output", type=Path, required=True, help="values (.json)")
    parser.add_argument("--scores", type=Path, required=True, help="scores and errors (.npz)")
    arguments = parser.parse_args()

    config = load_config(arguments.config, MeasureConfig)
    make_deterministic(config.seed, config.threads)
    body, device = load_body(arguments.body), choose_device(config.device)
    base = load_hmr(arguments.model, body).to(device)
    scorer = load_scorer(arguments.scorer, body).to(device)
    values, arrays = {}, {}
    for images, labels in zip(arguments.images, arguments.labels, strict=True):
        data = load_labelled(images, labels)
        scores, errors = rank_hypotheses(base, scorer, *data, config.ranked, config.seed)
        values[images.stem] = ranking_metrics(scores, errors)
        arrays[f"{images.stem}_scores"] = scores["scorer"]
        arrays[f"{images.stem}_mpjpe"] = errors["mpjpe"]
    write_values(arguments.output, values)
    write_npz(arguments.scores, arrays)


if __name__ == "__main__":
    run(main)
