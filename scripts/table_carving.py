"""Write the table of carving against the visual hull, and its Markdown form beside it."""

import argparse
from pathlib import Path

import pandas as pd

from poseloop.report.carving import carving_markdown, find_runs, make_carving_table
from poseloop.report.config import ReportConfig
from poseloop.runtime.cli import run
from poseloop.runtime.config import load_config
from poseloop.runtime.files import write_text
from poseloop.runtime.study import StudyConfig


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="report.yaml")
    parser.add_argument("--study", type=Path, required=True, help="study.yaml")
    parser.add_argument(
        "--metrics", type=Path, nargs="+", required=True, help="{views}/seed{seed}/{kind}.json"
    )
    parser.add_argument("--output", type=Path, required=True, help="table (.csv)")
    arguments = parser.parse_args()
    config = load_config(arguments.config, ReportConfig)
    study = load_config(arguments.study, StudyConfig)
    runs = find_runs(arguments.metrics)
    table = make_carving_table(runs, study.methods, study.benchmarks, config)
    write_text(arguments.output, table.to_csv(index=False))
    write_text(arguments.output.with_suffix(".md"), carving_markdown(pd.read_csv(arguments.output)))


if __name__ == "__main__":
    run(main)
