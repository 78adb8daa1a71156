"""Write the table of the image-animation model, and its Markdown form beside it."""

import argparse
from pathlib import Path

import pandas as pd

from poseloop.report.animation import animate_markdown, make_animate_table
from poseloop.report.config import ReportConfig
from poseloop.runtime.cli import run
from poseloop.runtime.config import load_config
from poseloop.runtime.files import read_json, write_text


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="report.yaml")
    parser.add_argument("--metrics", type=Path, required=True, help="from check_frames.py")
    parser.add_argument("--output", type=Path, required=True, help="table (.csv)")
    arguments = parser.parse_args()
    config = load_config(arguments.config, ReportConfig)
    table = make_animate_table(read_json(arguments.metrics), config)
    write_text(arguments.output, table.to_csv(index=False))
    write_text(arguments.output.with_suffix(".md"), animate_markdown(pd.read_csv(arguments.output)))


if __name__ == "__main__":
    run(main)
