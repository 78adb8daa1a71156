"""Write and draw what the arms of a grid cost."""

import argparse
from pathlib import Path

import pandas as pd

from poseloop.report.family import make_cost_table
from poseloop.report.figure_family import draw_costs
from poseloop.report.style import save
from poseloop.reward.family.config import FamilyConfig
from poseloop.runtime.cli import run
from poseloop.runtime.config import load_config
from poseloop.runtime.files import write_text


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--family", type=Path, required=True, help="family.yaml or ablations.yaml")
    parser.add_argument(
        "--trained", type=Path, nargs="+", required=True, help="{arm}/seed{seed}/metrics.json"
    )
    parser.add_argument(
        "--measured", type=Path, nargs="+", required=True, help="benchmark files of these runs"
    )
    parser.add_argument(
        "--logs", type=Path, nargs="+", required=True, help="{arm}/seed{seed}/log.csv"
    )
    parser.add_argument("--reward", required=True, help="column of the logs")
    parser.add_argument("--output", type=Path, required=True, help="table (.csv)")
    parser.add_argument("--figure", type=Path, nargs="+", required=True, help=".png and .pdf")
    arguments = parser.parse_args()
    family = load_config(arguments.family, FamilyConfig)
    cost = make_cost_table(arguments.trained, arguments.measured, family)
    first = f"seed{family.seeds[0]}"
    logs = {
        family.arms[path.parent.parent.name].label: pd.read_csv(path)
        for path in arguments.logs
        if path.parent.name == first
    }
    write_text(arguments.output, cost.to_csv(index=False))
    save(draw_costs(logs, cost, arguments.reward, family.steps), arguments.figure)


if __name__ == "__main__":
    run(main)
