"""Write the headline results into the README, or check that they are there."""

import argparse
from pathlib import Path

import pandas as pd

from poseloop.report.readme import insert_results, results_section
from poseloop.runtime.cli import run
from poseloop.runtime.errors import UserError
from poseloop.runtime.files import require_file, write_text


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--tables",
        type=Path,
        nargs="+",
        default=sorted(Path("results/demo/tables").glob("*.csv")),
    )
    parser.add_argument("--readme", type=Path, default=Path("README.md"))
    parser.add_argument("--check", action="store_true", help="change nothing; fail on a difference")
    arguments = parser.parse_args()

    if not arguments.tables:
        raise UserError("results/demo/tables: no tables; run `snakemake drpose_table` first")
    tables = [pd.read_csv(require_file(path, "table")) for path in arguments.tables]
    text = require_file(arguments.readme, "README").read_text()
    filled = insert_results(text, results_section(tables))
    if arguments.check and filled != text:
        raise UserError(
            f"{arguments.readme}: results differ from the tables; run scripts/update_readme.py"
        )
    if not arguments.check:
        write_text(arguments.readme, filled)


if __name__ == "__main__":
    run(main)
