"""Render one set of people, scans or a benchmark; a manifest is written beside it."""

import argparse
from pathlib import Path

import torch

from poseloop.body.model import load_body
from poseloop.data.config import ViewSetsConfig
from poseloop.data.scans import make_view_set
from poseloop.runtime.cli import run
from poseloop.runtime.config import load_config
from poseloop.runtime.files import write_json


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", required=True, help="scans.yaml or benchmarks.yaml")
    parser.add_argument("--set", required=True, help="name of a set in it")
    parser.add_argument("--body", required=True, help="body model file or folder")
    parser.add_argument("--clips", required=True, help="motion/clips.npz")
    parser.add_argument("--output", required=True, type=Path, help="npz to write")
    arguments = parser.parse_args()
    torch.set_num_threads(1)  # the processes share the cores
    config = load_config(arguments.config, ViewSetsConfig)
    body = load_body(arguments.body)
    views, manifest = make_view_set(config, arguments.set, body, arguments.clips)
    views.save(arguments.output)
    write_json(arguments.output.with_suffix(".json"), manifest)


if __name__ == "__main__":
    run(main)
