"""Print which external files are present, missing or corrupt, and what can run with them.

A missing asset is no fault: the parts that do without it run. A corrupt one is: exit code 2.
"""

import argparse
from pathlib import Path

from poseloop.runtime.assets import CORRUPT, check_assets
from poseloop.runtime.assets_config import AssetsConfig
from poseloop.runtime.assets_report import as_json, as_text
from poseloop.runtime.cli import run
from poseloop.runtime.config import load_config
from poseloop.runtime.errors import UserError
from poseloop.runtime.files import write_json


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", required=True, help="assets.yaml")
    parser.add_argument("--output", required=True, type=Path, help="JSON to write")
    arguments = parser.parse_args()
    config = load_config(arguments.config, AssetsConfig)
    states = check_assets(config)
    print(as_text(config, states), end="", flush=True)
    write_json(arguments.output, as_json(config, states))
    corrupt = [
        f"{Path(config.folder) / config.assets[name].path}: {state.reason}"
        for name, state in states.items()
        if state.status == CORRUPT
    ]
    if corrupt:
        raise UserError("corrupt asset(s): " + "; ".join(corrupt))


if __name__ == "__main__":
    run(main)
