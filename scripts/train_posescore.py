"""Train PoseScore on scans and report its PSNR and SSIM on held-out scans."""

import argparse
from pathlib import Path

import torch

from poseloop.multiview.dataset import read_latents
from poseloop.multiview.fitting import write_log
from poseloop.multiview.loading import load_autoencoder, load_multiview
from poseloop.multiview.schedule import make_scheduler
from poseloop.multiview.views import COLOUR, to_uint8
from poseloop.reward.config import PoseScoreConfig
from poseloop.reward.posescore_training import skeleton_quality, train_posescore
from poseloop.runtime.checkpoints import Checkpoints, run_key
from poseloop.runtime.cli import run
from poseloop.runtime.config import load_config
from poseloop.runtime.device import choose_device
from poseloop.runtime.files import write_json, write_npz
from poseloop.runtime.seeds import make_deterministic


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--latents", type=Path, required=True)
    parser.add_argument("--validation", type=Path, required=True)
    parser.add_argument("--multiview", type=Path, required=True)
    parser.add_argument("--autoencoder", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--metrics", type=Path, required=True)
    parser.add_argument("--log", type=Path, required=True)
    parser.add_argument("--examples", type=Path, required=True)
    arguments = parser.parse_args()

    config = load_config(arguments.config, PoseScoreConfig)
    make_deterministic(config.seed, config.threads)
    device = choose_device(config.device)
    data = read_latents(arguments.latents, with_views=True)
    held_out = read_latents(arguments.validation, with_views=True)
    validation = {name: held_out.of_group(name) for name in sorted(set(held_out.group))}
    denoiser, multiview = load_multiview(arguments.multiview, device)
    inputs = [arguments.config, arguments.latents, arguments.validation, arguments.multiview]
    checkpoints = Checkpoints(run_key(__file__, inputs), config.checkpoint_every)
    posescore, rows = train_posescore(
        config,
        data,
        validation,
        denoiser,
        make_scheduler(multiview.schedule),
        multiview.mirrored_views,
        device,
        checkpoints,
    )

    metrics = {}
    for name, part in validation.items():
        quality, predicted, target = skeleton_quality(posescore, part, device)
        metrics |= {f"{key}_{name}": round(value, 4) for key, value in quality.items()}
    views = torch.arange(config.examples) % predicted.shape[1]
    subjects = torch.arange(config.examples) * (len(predicted) // config.examples)
    autoencoder = load_autoencoder(arguments.autoencoder, torch.device("cpu"))
    with torch.no_grad():
        pictures = autoencoder.decode(part.latents[subjects, views, COLOUR])
    write_npz(
        arguments.examples,
        {
            "rgb": to_uint8(pictures).numpy(),
            "target": target[subjects, views].half().numpy(),
            "predicted": predicted[subjects, views].half().cpu().numpy(),
        },
    )
    posescore.save(arguments.output)
    write_log(arguments.log, rows)
    write_json(arguments.metrics, metrics)
    checkpoints.discard()


if __name__ == "__main__":
    run(main)
