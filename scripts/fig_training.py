"""Draw reward, drift and validation along fine-tuning, all variants and seeds."""

import argparse
from pathlib import Path

from poseloop.report.config import ReportConfig
from poseloop.report.figure_training import draw_training, read_logs
from poseloop.report.style import save
from poseloop.runtime.cli import run
from poseloop.runtime.config import load_config
from poseloop.runtime.study import StudyConfig


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="report.yaml")
    parser.add_argument("--study", type=Path, required=True, help="study.yaml")
    parser.add_argument(
        "--logs", type=Path, nargs="+", required=True, help="{variant}/seed{seed}/log.csv"
    )
    parser.add_argument("--output", type=Path, nargs="+", required=True, help=".png and .pdf")
    arguments = parser.parse_args()

    config = load_config(arguments.config, ReportConfig)
    methods = load_config(arguments.study, StudyConfig).methods
    save(draw_training(read_logs(arguments.logs), methods, config.smoothing), arguments.output)


if __name__ == "__main__":
    run(main)
