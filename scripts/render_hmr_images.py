"""Render one set of hmr_images.yaml: pictures, labels in a file of their own, and a manifest."""

import argparse
from pathlib import Path

import torch

from poseloop.body.model import load_body
from poseloop.hmr.image_config import ImageSetsConfig
from poseloop.hmr.images import make_image_set
from poseloop.runtime.cli import run
from poseloop.runtime.config import load_config
from poseloop.runtime.files import write_json


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", required=True, help="hmr_images.yaml")
    parser.add_argument("--set", required=True, help="name of a set in it")
    parser.add_argument("--body", required=True, help="body model file or folder")
    parser.add_argument("--clips", required=True, help="motion/clips.npz")
    parser.add_argument("--images", required=True, type=Path, help="npz of pictures to write")
    parser.add_argument("--labels", required=True, type=Path, help="npz of labels to write")
    parser.add_argument("--manifest", required=True, type=Path, help="JSON to write")
    arguments = parser.parse_args()
    torch.set_num_threads(1)  # the processes share the cores
    config = load_config(arguments.config, ImageSetsConfig)
    pictures, labels, manifest = make_image_set(
        config, arguments.set, load_body(arguments.body), arguments.clips
    )
    pictures.save(arguments.images)
    labels.save(arguments.labels)
    write_json(arguments.manifest, manifest)


if __name__ == "__main__":
    run(main)
