"""Draw what the arms of a grid gain and what they cost."""

import argparse
from pathlib import Path

import pandas as pd

from poseloop.report.figure_family import draw_costs, draw_gains
from poseloop.report.style import save
from poseloop.reward.family.config import FamilyConfig
from poseloop.runtime.cli import run
from poseloop.runtime.config import load_config
from poseloop.runtime.files import require_file


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--family", type=Path, required=True, help="family.yaml or ablations.yaml")
    parser.add_argument("--table", type=Path, required=True, help="drpose_{grid}.csv")
    parser.add_argument("--cost", type=Path, required=True, help="drpose_{grid}_cost.csv")
    parser.add_argument(
        "--logs", type=Path, nargs="+", required=True, help="{arm}/seed{seed}/log.csv"
    )
    parser.add_argument("--metrics", nargs="+", required=True, help="metrics to draw")
    parser.add_argument("--reward", required=True, help="column of the logs")
    parser.add_argument("--gains", type=Path, nargs="+", required=True, help=".png and .pdf")
    parser.add_argument("--costs", type=Path, nargs="+", required=True, help=".png and .pdf")
    arguments = parser.parse_args()
    family = load_config(arguments.family, FamilyConfig)
    table = pd.read_csv(require_file(arguments.table, "table"))
    cost = pd.read_csv(require_file(arguments.cost, "table"))
    first = f"seed{family.seeds[0]}"
    logs = {
        family.arms[path.parent.parent.name].label: pd.read_csv(path)
        for path in arguments.logs
        if path.parent.name == first
    }
    save(draw_gains(table, arguments.metrics), arguments.gains)
    save(draw_costs(logs, cost, arguments.reward, family.steps), arguments.costs)


if __name__ == "__main__":
    run(main)
