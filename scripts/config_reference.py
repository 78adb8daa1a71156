"""Write the reference of all config files into config/README.md, or check that it is there."""

import argparse
from pathlib import Path

from poseloop.report.readme import insert_results
from poseloop.report.reference.models import models_of
from poseloop.report.reference.text import reference
from poseloop.runtime.cli import run
from poseloop.runtime.errors import UserError
from poseloop.runtime.files import require_file, write_text

MARKER = "reference"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, default=Path("config"), help="folder of presets")
    parser.add_argument("--check", action="store_true", help="change nothing; fail on a difference")
    arguments = parser.parse_args()

    readme = arguments.config / "README.md"
    files = sorted(arguments.config.glob("*/*.yaml"))
    presets: dict[str, list[str]] = {}
    for file in files:
        presets.setdefault(file.name, []).append(f"`{file.parent.name}`")
    text = require_file(readme, "README").read_text()
    filled = insert_results(text, MARKER, reference(models_of(files), presets))
    if arguments.check and filled != text:
        raise UserError(f"{readme}: not that of the models; run scripts/config_reference.py")
    if not arguments.check:
        write_text(readme, filled)


if __name__ == "__main__":
    run(main)
