"""Turn AIST++'s pickled motions into AMASS files: `kind: amass`, `up: y` in motion.yaml.

An ignore list (AIST++'s ignore_list.txt) names sequences whose reconstruction failed.
"""

import argparse
from pathlib import Path

from poseloop.motion.aistpp import amass_arrays, read_aistpp
from poseloop.runtime.cli import run
from poseloop.runtime.errors import UserError
from poseloop.runtime.files import require_file, write_npz


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--motions", type=Path, required=True, help="folder of the pickles")
    parser.add_argument("--ignore", type=Path, help="file of names to leave out, one a line")
    parser.add_argument("--output", type=Path, required=True, help="folder of npz files to write")
    arguments = parser.parse_args()
    ignored = set()
    if arguments.ignore:
        ignored = set(require_file(arguments.ignore, "ignore list").read_text().split())
    files = [file for file in sorted(arguments.motions.glob("*.pkl")) if file.stem not in ignored]
    if not files:
        raise UserError(f"{arguments.motions}: no motions (*.pkl)")
    for file in files:
        clip = read_aistpp(file.stem, file)
        write_npz(arguments.output / f"{file.stem}.npz", amass_arrays(clip))
    print(f"{len(files)} clips in {arguments.output}")


if __name__ == "__main__":
    run(main)
