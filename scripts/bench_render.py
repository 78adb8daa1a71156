"""Measure how many images (RGB, normal and mask of one view) are rendered per second."""

import argparse
import time

import numpy as np
import torch

from poseloop.body.model import load_body
from poseloop.data.config import Backdrop, People, Picture
from poseloop.data.people import sample_appearances, sample_bodies
from poseloop.data.posing import sitters
from poseloop.data.scans import make_studio, photograph_all
from poseloop.render.cameras import PAPER_AZIMUTHS, Camera
from poseloop.runtime.cli import run
from poseloop.runtime.seeds import numpy_rng


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--body", required=True, help="body model file or folder")
    parser.add_argument("--size", type=int, default=128, help="pixels along each side")
    parser.add_argument("--supersample", type=int, default=1, help="samples per pixel and side")
    parser.add_argument("--backend", choices=("raycast", "pyrender"), default="raycast")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--subjects", type=int, default=128)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    body = load_body(arguments.body)
    count = arguments.subjects
    people = People(stream="bench", bodies=count)
    betas, _ = sample_bodies(people, count, body.num_betas, 0)
    pose = numpy_rng(0, "bench").normal(0.0, 0.2, (count, 72)).astype(np.float32)
    looks = sample_appearances(people, count, 0)
    front = [Camera()] * count
    waiting = sitters(body, pose[:, :3], pose[:, 3:], betas, looks, front, (0, "bench"))
    picture = Picture(
        size=arguments.size, supersample=arguments.supersample, backend=arguments.backend
    )
    studio = make_studio(body, picture, PAPER_AZIMUTHS, Backdrop())
    start = time.perf_counter()
    photograph_all(studio, waiting, arguments.processes, count)
    seconds = time.perf_counter() - start
    print(f"{count * len(PAPER_AZIMUTHS) / seconds:.0f} images a second")


if __name__ == "__main__":
    run(main)
