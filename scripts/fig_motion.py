"""Draw a contact sheet of every motion clip."""

import argparse

from poseloop.body.model import load_body
from poseloop.report.figure_motion import draw_motion
from poseloop.report.style import save
from poseloop.runtime.cli import run
from poseloop.runtime.files import read_npz

_ARRAYS = ("clip", "split", "mirrored", "global_orient", "body_pose", "transl")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--body", required=True, nargs="+", help="body files; the first is read")
    parser.add_argument("--clips", required=True, help="npz of prepare_motion.py")
    parser.add_argument("--output", required=True, nargs="+", help="PNG and PDF to write")
    arguments = parser.parse_args()
    clips = read_npz(arguments.clips, *_ARRAYS)
    save(draw_motion(load_body(arguments.body[0]), clips), arguments.output)


if __name__ == "__main__":
    run(main)
