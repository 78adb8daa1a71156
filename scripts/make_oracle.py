"""Render and encode the views of the pose set's people, for the supervised upper bound."""

import argparse
from pathlib import Path

from poseloop.body.model import load_body
from poseloop.data.config import PoseSetConfig
from poseloop.data.oracle import render_oracle
from poseloop.data.store import PoseSet
from poseloop.multiview.config import AutoencoderConfig
from poseloop.multiview.dataset import write_latents
from poseloop.multiview.encoding import encode_set
from poseloop.multiview.loading import load_autoencoder, load_multiview
from poseloop.reward.posescore import load_posescore
from poseloop.runtime.cli import run
from poseloop.runtime.config import load_config
from poseloop.runtime.device import choose_device
from poseloop.runtime.seeds import make_deterministic


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="poseset.yaml")
    parser.add_argument("--autoencoder-config", type=Path, required=True)
    parser.add_argument("--body", type=Path, required=True, help="body model file or folder")
    parser.add_argument("--poses", type=Path, required=True, help="poseset/images.npz")
    parser.add_argument("--autoencoder", type=Path, required=True)
    parser.add_argument("--multiview", type=Path, required=True, help="says what is mirrored")
    parser.add_argument("--posescore", type=Path, required=True, help="says the azimuths")
    parser.add_argument("--output", type=Path, required=True, help="latents (.npz)")
    arguments = parser.parse_args()

    config = load_config(arguments.config, PoseSetConfig)
    encoding = load_config(arguments.autoencoder_config, AutoencoderConfig)
    make_deterministic(encoding.seed, 1)
    cpu = choose_device("cpu")
    azimuths = tuple(load_posescore(arguments.posescore, cpu).config.azimuths)
    _, multiview = load_multiview(arguments.multiview, cpu)
    pose_set = PoseSet.load(arguments.poses)
    views = render_oracle(config, pose_set, load_body(arguments.body), azimuths)
    latents = encode_set(
        load_autoencoder(arguments.autoencoder, cpu),
        views,
        "oracle",
        multiview.mirrored_views,
        encoding.encode_batch_size,
    )
    write_latents(arguments.output, [latents])


if __name__ == "__main__":
    run(main)
