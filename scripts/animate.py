"""Draw the frames of sequences from their reference pictures and body renders."""

import argparse
from pathlib import Path

from poseloop.data.clipset import ClipSet
from poseloop.multiview.animate.config import AnimateConfig
from poseloop.multiview.animate.sampling import draw_frames, load_animator
from poseloop.multiview.loading import load_autoencoder
from poseloop.runtime.cli import run
from poseloop.runtime.config import load_config
from poseloop.runtime.device import choose_device
from poseloop.runtime.files import write_npz
from poseloop.runtime.seeds import make_deterministic


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="animate.yaml")
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--autoencoder", type=Path, required=True)
    parser.add_argument("--clips", type=Path, required=True, help="sequences that ask for frames")
    parser.add_argument("--output", type=Path, required=True, help="npz to write")
    arguments = parser.parse_args()

    config = load_config(arguments.config, AnimateConfig)
    make_deterministic(config.seed, config.threads)
    device = choose_device(config.device)
    denoiser, _ = load_animator(arguments.model, device)
    autoencoder = load_autoencoder(arguments.autoencoder, device)
    clips = ClipSet.load(arguments.clips)
    frames = draw_frames(
        denoiser,
        autoencoder,
        clips.reference_rgb,
        clips.parts,
        config,
        device,
        arguments.clips.stem,
    )
    write_npz(arguments.output, {"rgb": frames})


if __name__ == "__main__":
    run(main)
