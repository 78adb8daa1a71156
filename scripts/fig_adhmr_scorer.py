"""Draw the scorer's scores of the base's hypotheses against their errors."""

import argparse
from pathlib import Path

from poseloop.hmr.study import AdhmrStudyConfig
from poseloop.report.figure_hmr_scorer import draw_scores
from poseloop.report.style import save
from poseloop.runtime.cli import run
from poseloop.runtime.config import load_config
from poseloop.runtime.files import read_npz


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--study", type=Path, required=True, help="adhmr_study.yaml")
    parser.add_argument("--scores", type=Path, required=True, help="scores and errors (.npz)")
    parser.add_argument("--output", type=Path, nargs="+", required=True, help=".png and .pdf")
    arguments = parser.parse_args()

    study = load_config(arguments.study, AdhmrStudyConfig)
    names = [f"{name}_{kind}" for name in study.evaluation for kind in ("scores", "mpjpe")]
    save(draw_scores(read_npz(arguments.scores, *names), study.evaluation), arguments.output)


if __name__ == "__main__":
    run(main)
