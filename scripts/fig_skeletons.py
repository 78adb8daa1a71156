"""Draw PoseScore's skeleton maps beside their targets."""

import argparse
from pathlib import Path

from poseloop.report.figure_skeletons import draw_skeletons
from poseloop.report.style import save
from poseloop.runtime.cli import run
from poseloop.runtime.files import read_npz


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=Path, required=True, help="posescore/examples.npz")
    parser.add_argument("--output", type=Path, nargs="+", required=True, help=".png and .pdf")
    arguments = parser.parse_args()
    examples = read_npz(arguments.examples, "rgb", "target", "predicted")
    save(draw_skeletons(examples), arguments.output)


if __name__ == "__main__":
    run(main)
