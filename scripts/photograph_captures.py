"""Render one set of captured people, textured scans with SMPL-X fits; a manifest is written too."""

import argparse
from pathlib import Path

import torch

from poseloop.body.model import load_body
from poseloop.data.capture_config import CapturesConfig
from poseloop.data.config import ViewSetsConfig
from poseloop.data.photographed import photograph_captures
from poseloop.runtime.cli import run
from poseloop.runtime.config import load_config
from poseloop.runtime.files import write_json


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", required=True, help="captures.yaml")
    parser.add_argument("--scans", required=True, help="scans.yaml, for pictures and views")
    parser.add_argument("--set", required=True, help="name of a set in captures.yaml")
    parser.add_argument("--body", required=True, help="body model file or folder")
    parser.add_argument("--output", required=True, type=Path, help="npz to write")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    config = load_config(arguments.config, CapturesConfig)
    scans = load_config(arguments.scans, ViewSetsConfig)
    body = load_body(arguments.body)
    views, manifest = photograph_captures(
        config, arguments.set, body, scans.picture, scans.azimuths
    )
    views.save(arguments.output)
    write_json(arguments.output.with_suffix(".json"), manifest)


if __name__ == "__main__":
    run(main)
