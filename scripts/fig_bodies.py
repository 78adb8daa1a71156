"""Draw the body's shapes, poses and regions."""

import argparse

from poseloop.body.model import load_body
from poseloop.report.figure_bodies import draw_bodies
from poseloop.report.style import save
from poseloop.runtime.cli import run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--body", required=True, nargs="+", help="body files; the first is read")
    parser.add_argument("--output", required=True, nargs="+", help="PNG and PDF to write")
    arguments = parser.parse_args()
    save(draw_bodies(load_body(arguments.body[0])), arguments.output)


if __name__ == "__main__":
    run(main)
