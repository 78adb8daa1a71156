"""Draw DPO's losses, implicit accuracy and logits along its steps."""

import argparse
from pathlib import Path

import pandas as pd

from poseloop.hmr.study import AdhmrStudyConfig
from poseloop.report.figure_hmr_training import draw_dpo_training
from poseloop.report.hmr_config import HmrReportConfig
from poseloop.report.style import save
from poseloop.runtime.cli import run
from poseloop.runtime.config import load_config
from poseloop.runtime.files import require_file


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="adhmr_report.yaml")
    parser.add_argument("--study", type=Path, required=True, help="adhmr_study.yaml")
    parser.add_argument("--logs", type=Path, nargs="+", required=True, help="{variant}/seed*.csv")
    parser.add_argument("--output", type=Path, nargs="+", required=True, help=".png and .pdf")
    arguments = parser.parse_args()

    config = load_config(arguments.config, HmrReportConfig)
    methods = load_config(arguments.study, AdhmrStudyConfig).methods
    logs: dict[str, list[pd.DataFrame]] = {}
    for path in arguments.logs:
        log = pd.read_csv(require_file(path, "training log"))
        logs.setdefault(path.parent.name, []).append(log)
    save(draw_dpo_training(logs, methods, config.smoothing), arguments.output)


if __name__ == "__main__":
    run(main)
