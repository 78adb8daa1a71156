"""Estimate the pose in the input picture of each subject, from which a body may be fitted."""

import argparse
from pathlib import Path

import numpy as np
import roma
import torch

from poseloop.body.model import load_body
from poseloop.hmr.denoiser import load_hmr
from poseloop.hmr.geometry import mean_rotation
from poseloop.hmr.images import Window, cut
from poseloop.hmr.recover import recover
from poseloop.hmr.scorer import load_scorer
from poseloop.hmr.store import Pictures
from poseloop.reconstruct.config import CarveConfig, Estimate
from poseloop.runtime.cli import run
from poseloop.runtime.config import load_config
from poseloop.runtime.errors import UserError
from poseloop.runtime.files import read_npz, write_npz
from poseloop.runtime.seeds import make_deterministic


def crop_of_input(picture: np.ndarray, mask: np.ndarray, config: Estimate) -> Pictures | None:
    """The square around the mask (S, S) uint8 of an input picture (S, S, 3), as the model's crops.

    None where the mask is empty. The focal length is that of a camera as far as those the scorer
    was taught with: it knows no orthographic picture.
    """
    rows, columns = np.nonzero(mask > 127)
    if not len(rows):
        return None
    low = np.array([columns.min(), -rows.max() - 1]) / len(mask) + [-0.5, 0.5]
    high = np.array([columns.max() + 1, -rows.min()]) / len(mask) + [-0.5, 0.5]
    window = Window((low + high) / 2, float((high - low).max()) * config.margin)
    zoom = 2 / window.side
    intrinsics = [config.distance * zoom, *(window.centre * [-zoom, zoom])]
    crop = cut(picture, window, config.size)
    return Pictures(crop[None], np.array([intrinsics], np.float32))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="carve.yaml")
    parser.add_argument("--body", type=Path, required=True, help="body model file or folder")
    parser.add_argument("--model", type=Path, required=True, help="of the ADHMR loop")
    parser.add_argument("--scorer", type=Path, required=True, help="from train_hmr_scorer.py")
    parser.add_argument("--benchmark", type=Path, required=True, help="whose input pictures")
    parser.add_argument("--output", type=Path, required=True, help="npz to write")
    arguments = parser.parse_args()

    config = load_config(arguments.config, CarveConfig).estimate
    make_deterministic(config.seed, 1)
    body = load_body(arguments.body)
    model, scorer = load_hmr(arguments.model, body), load_scorer(arguments.scorer, body)
    inputs = read_npz(arguments.benchmark, "input_rgb", "input_mask", only=True)
    pose = torch.zeros(len(inputs["input_rgb"]), 72)
    found = np.zeros(len(pose), bool)
    for row, (picture, mask) in enumerate(
        zip(inputs["input_rgb"], inputs["input_mask"], strict=True)
    ):
        crop, what = crop_of_input(picture, mask, config), f"subject {row}"
        try:
            if crop is None:
                raise UserError(f"{what}: the input picture's mask is empty")
            bodies = recover(model, scorer, crop, config.hypotheses, config.seed, what).bodies
        except UserError as fault:
            print(f"no estimate: {fault}", flush=True)
            continue
        turns = mean_rotation(bodies.rotations[: config.selected], 0)
        pose[row], found[row] = roma.rotmat_to_rotvec(turns).flatten(), True
    write_npz(
        arguments.output,
        {
            "global_orient": pose[:, :3].numpy(),
            "body_pose": pose[:, 3:].numpy(),
            "found": found,
        },
    )


if __name__ == "__main__":
    run(main)
