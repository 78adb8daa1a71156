"""Measure reward hacking along one fine-tuning run, one value per step, subject and measure."""

import argparse
from pathlib import Path

import pandas as pd
import torch

from poseloop.evaluate.config import EvaluateConfig
from poseloop.evaluate.hacking.config import HackingConfig
from poseloop.evaluate.hacking.measure import Instruments, measure_run
from poseloop.evaluate.hacking.runs import rows_of
from poseloop.evaluate.hacking.snapshots import read_snapshots
from poseloop.evaluate.hacking.subjects import read_subjects
from poseloop.evaluate.pose import load_judge
from poseloop.multiview.dataset import read_latents
from poseloop.multiview.loading import load_autoencoder
from poseloop.reward.family.config import FamilyConfig
from poseloop.reward.family.reward import make_reward
from poseloop.reward.posescore import load_posescore
from poseloop.runtime.cli import run
from poseloop.runtime.config import load_config
from poseloop.runtime.device import choose_device
from poseloop.runtime.errors import UserError
from poseloop.runtime.files import write_text
from poseloop.runtime.seeds import make_deterministic


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="hacking.yaml")
    parser.add_argument("--family", type=Path, required=True, help="family.yaml: the reward")
    parser.add_argument("--arm", required=True, help="one of `arms` in the config")
    parser.add_argument("--evaluation", type=Path, required=True, help="evaluate.yaml")
    parser.add_argument("--snapshots", type=Path, required=True, help="weights along the run")
    parser.add_argument("--autoencoder", type=Path, required=True)
    parser.add_argument("--posescore", type=Path, required=True, help="trains")
    parser.add_argument("--held-out", type=Path, required=True, help="trains nothing")
    parser.add_argument("--judge", type=Path, required=True)
    parser.add_argument("--latents", type=Path, required=True, help="of the validation sets")
    parser.add_argument("--scans", type=Path, nargs="+", required=True, help="the same sets")
    parser.add_argument("--output", type=Path, required=True, help="values (.csv)")
    arguments = parser.parse_args()

    config = load_config(arguments.config, HackingConfig)
    family = load_config(arguments.family, FamilyConfig)
    if arguments.arm not in config.arms:
        raise UserError(f"{arguments.config}: arms: no arm called {arguments.arm!r}")
    evaluation = load_config(arguments.evaluation, EvaluateConfig)
    make_deterministic(config.seed, config.threads)
    device = choose_device(config.device)
    snapshots = read_snapshots(arguments.snapshots)
    held_out, cpu = read_latents(arguments.latents, with_views=True), torch.device("cpu")
    proxy, second = (
        make_reward(family.reward_of(arguments.arm), load_posescore(path, cpu), None)
        for path in (arguments.posescore, arguments.held_out)
    )
    autoencoder = load_autoencoder(arguments.autoencoder, cpu)
    instruments = Instruments(autoencoder, proxy, second, load_judge(arguments.judge))
    rows = []
    for path in arguments.scans:
        subjects = read_subjects(path, held_out, config.choosing + config.reporting)
        for step, table in measure_run(
            snapshots, subjects, instruments, config, evaluation, device
        ):
            rows += rows_of(step, subjects.name, table, config.choosing)
            print(f"{subjects.name}, step {step} measured", flush=True)
    write_text(arguments.output, pd.DataFrame(rows).to_csv(index=False))


if __name__ == "__main__":
    run(main)
