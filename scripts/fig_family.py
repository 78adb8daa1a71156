"""Draw what the arms of a grid gain."""

import argparse
from pathlib import Path

import pandas as pd

from poseloop.report.figure_family import draw_gains
from poseloop.report.style import save
from poseloop.runtime.cli import run
from poseloop.runtime.files import require_file


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--table", type=Path, required=True, help="drpose_{grid}.csv")
    parser.add_argument("--metrics", nargs="+", required=True, help="metrics to draw")
    parser.add_argument("--output", type=Path, nargs="+", required=True, help=".png and .pdf")
    arguments = parser.parse_args()
    table = pd.read_csv(require_file(arguments.table, "table"))
    save(draw_gains(table, arguments.metrics), arguments.output)


if __name__ == "__main__":
    run(main)
