"""Write the headline results into the README, or check that they are there."""

import argparse
from pathlib import Path

import pandas as pd

from poseloop.report.readme import HEADLINES, insert_results
from poseloop.runtime.cli import run
from poseloop.runtime.errors import UserError
from poseloop.runtime.files import require_file, write_text


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", type=Path, default=Path("results/demo/tables"))
    parser.add_argument("--readme", type=Path, default=Path("README.md"))
    parser.add_argument("--check", action="store_true", help="change nothing; fail on a difference")
    arguments = parser.parse_args()

    text = filled = require_file(arguments.readme, "README").read_text()
    for loop, headline in HEADLINES.items():
        paths = [require_file(arguments.tables / name, "table") for name in headline.tables]
        section = headline.section([pd.read_csv(path) for path in paths])
        filled = insert_results(filled, loop, section)
    if arguments.check and filled != text:
        raise UserError(
            f"{arguments.readme}: results differ from the tables; run scripts/update_readme.py"
        )
    if not arguments.check:
        write_text(arguments.readme, filled)


if __name__ == "__main__":
    run(main)
