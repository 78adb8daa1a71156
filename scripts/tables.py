"""Write the tidy tables, their Markdown and LaTeX forms beside them, and a summary."""

import argparse
from pathlib import Path

import pandas as pd

from poseloop.report.config import ReportConfig
from poseloop.report.latex import to_latex
from poseloop.report.markdown import to_markdown
from poseloop.report.summary import summarise
from poseloop.report.tables import gather, gather_truth, make_table
from poseloop.runtime.cli import run
from poseloop.runtime.config import load_config
from poseloop.runtime.errors import UserError
from poseloop.runtime.files import write_json, write_text
from poseloop.runtime.study import StudyConfig


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="report.yaml")
    parser.add_argument("--study", type=Path, required=True, help="study.yaml")
    parser.add_argument(
        "--metrics", type=Path, nargs="+", required=True, help="{method}/seed{seed}.json"
    )
    parser.add_argument("--diversity", type=Path, nargs="*", default=[], help="{method}/*.json")
    parser.add_argument("--truth", type=Path, required=True, help="metrics of true pictures")
    parser.add_argument(
        "--output", type=Path, nargs="+", required=True, help="CSV files, *_{table}.csv"
    )
    parser.add_argument("--summary", type=Path, required=True, help="JSON file of the means")
    arguments = parser.parse_args()

    config = load_config(arguments.config, ReportConfig)
    study = load_config(arguments.study, StudyConfig)
    results = gather(arguments.metrics) | gather(arguments.diversity)
    results |= gather_truth(arguments.truth)
    means = {}
    for path in arguments.output:
        name = path.stem.rpartition("_")[2]
        if name not in config.tables:
            raise UserError(f"{path}: {arguments.config} describes no table called {name!r}")
        table = make_table(name, results, study.methods, study.benchmarks, config, len(study.seeds))
        write_text(path, table.to_csv(index=False))
        printed = pd.read_csv(path)
        write_text(path.with_suffix(".md"), to_markdown(printed))
        write_text(path.with_suffix(".tex"), to_latex(printed))
        means[name] = summarise(printed)
    write_json(arguments.summary, means)


if __name__ == "__main__":
    run(main)
