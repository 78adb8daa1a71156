"""Draw the pose set's joint spread beside that of the training scans."""

import argparse
from pathlib import Path

from poseloop.report.figure_diversity import draw_diversity
from poseloop.report.style import save
from poseloop.runtime.cli import run
from poseloop.runtime.files import read_json


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--diversity", type=Path, required=True, help="poseset/diversity.json")
    parser.add_argument("--output", type=Path, nargs="+", required=True, help=".png and .pdf")
    arguments = parser.parse_args()
    save(draw_diversity(read_json(arguments.diversity)), arguments.output)


if __name__ == "__main__":
    run(main)
