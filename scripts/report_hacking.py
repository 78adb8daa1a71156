"""Write the table of reward hacking and draw its figure."""

import argparse
from pathlib import Path

import pandas as pd

from poseloop.evaluate.hacking.config import HackingConfig
from poseloop.evaluate.hacking.runs import read_runs, stops
from poseloop.report.config import ReportConfig
from poseloop.report.figure_hacking import draw_hacking
from poseloop.report.hacking import hacking_markdown, make_hacking_table
from poseloop.report.style import save
from poseloop.reward.family.config import FamilyConfig
from poseloop.runtime.cli import run
from poseloop.runtime.config import load_config
from poseloop.runtime.files import write_text


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="hacking.yaml")
    parser.add_argument("--report", type=Path, required=True, help="report.yaml")
    parser.add_argument("--family", type=Path, required=True, help="family.yaml: names of arms")
    parser.add_argument(
        "--runs", type=Path, nargs="+", required=True, help="{arm}/seed{seed}.csv of every run"
    )
    parser.add_argument("--table", type=Path, required=True, help="table (.csv)")
    parser.add_argument("--figure", type=Path, nargs="+", required=True, help=".png and .pdf")
    arguments = parser.parse_args()

    config = load_config(arguments.config, HackingConfig)
    report = load_config(arguments.report, ReportConfig)
    family = load_config(arguments.family, FamilyConfig)
    labels = {arm: family.arms[arm].label for arm in config.arms}
    runs = read_runs(arguments.runs)
    chosen = stops(runs, config.stop)
    table = make_hacking_table(runs, chosen, labels, config, report)
    write_text(arguments.table, table.to_csv(index=False))
    text = hacking_markdown(pd.read_csv(arguments.table), config)
    write_text(arguments.table.with_suffix(".md"), text)
    save(draw_hacking(runs, chosen, labels, table, config.sets), arguments.figure)


if __name__ == "__main__":
    run(main)
