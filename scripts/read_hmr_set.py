"""Read a labelled set of your own (3DPW, Human3.6M or HumanData) into pictures and labels."""

import argparse
from pathlib import Path

from poseloop.body.model import load_body
from poseloop.hmr.annotations import cut_out
from poseloop.hmr.formats import read_3dpw, read_h36m, read_humandata
from poseloop.runtime.cli import run
from poseloop.runtime.errors import UserError


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--format", choices=("3dpw", "h36m", "humandata"), required=True)
    parser.add_argument("--path", type=Path, required=True, help="sequence, folder or npz")
    parser.add_argument("--subject", type=int, help="of Human3.6M")
    parser.add_argument("--every", type=int, default=10, help="of Human3.6M: one of so many frames")
    parser.add_argument("--folder", type=Path, required=True, help="folder of the pictures")
    parser.add_argument("--body", type=Path, required=True)
    parser.add_argument("--size", type=int, default=64, help="pixels of a crop's side")
    parser.add_argument("--margin", type=float, default=1.25, help="crop over the joints' box")
    parser.add_argument("--images", type=Path, required=True, help="npz of pictures to write")
    parser.add_argument("--labels", type=Path, required=True, help="npz of labels to write")
    arguments = parser.parse_args()

    body = load_body(arguments.body)
    if arguments.format == "h36m":
        if arguments.subject is None:
            raise UserError("--subject: needed for h36m")
        annotations = read_h36m(arguments.path, arguments.subject, body, arguments.every)
    else:
        read = {"3dpw": read_3dpw, "humandata": read_humandata}[arguments.format]
        annotations = read(arguments.path, body)
    pictures, labels = cut_out(
        annotations, arguments.folder, body, arguments.size, arguments.margin
    )
    pictures.save(arguments.images)
    labels.save(arguments.labels)


if __name__ == "__main__":
    run(main)
