"""Write the table of the family of fine-tuning methods, or of the ablations."""

import argparse
from pathlib import Path

import pandas as pd

from poseloop.report.config import ReportConfig
from poseloop.report.family import make_family_table
from poseloop.report.markdown import to_markdown
from poseloop.report.tables import gather
from poseloop.reward.family.config import FamilyConfig
from poseloop.runtime.cli import run
from poseloop.runtime.config import load_config
from poseloop.runtime.files import write_text
from poseloop.runtime.study import StudyConfig


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="report.yaml")
    parser.add_argument("--study", type=Path, required=True, help="study.yaml")
    parser.add_argument("--family", type=Path, required=True, help="family.yaml or ablations.yaml")
    parser.add_argument(
        "--metrics", type=Path, nargs="+", required=True, help="{method}/seed{seed}.json"
    )
    parser.add_argument("--output", type=Path, required=True, help="table (.csv)")
    arguments = parser.parse_args()
    config = load_config(arguments.config, ReportConfig)
    study = load_config(arguments.study, StudyConfig)
    family = load_config(arguments.family, FamilyConfig)
    results = gather(arguments.metrics)
    table = make_family_table(results, family, study.benchmarks, config, len(family.seeds))
    write_text(arguments.output, table.to_csv(index=False))
    write_text(arguments.output.with_suffix(".md"), to_markdown(pd.read_csv(arguments.output)))


if __name__ == "__main__":
    run(main)
