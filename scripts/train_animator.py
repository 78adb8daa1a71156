"""Train the image-animation model on rendered sequences."""

import argparse
from pathlib import Path

from poseloop.data.clipset import ClipSet
from poseloop.multiview.animate.clips import ClipLatents, encode_clips
from poseloop.multiview.animate.config import AnimateConfig
from poseloop.multiview.animate.training import train_animator
from poseloop.multiview.fitting import write_log
from poseloop.multiview.loading import load_autoencoder
from poseloop.runtime.checkpoints import Checkpoints, run_key
from poseloop.runtime.cli import run
from poseloop.runtime.config import load_config
from poseloop.runtime.device import choose_device
from poseloop.runtime.files import write_json
from poseloop.runtime.seeds import make_deterministic
from poseloop.runtime.weights import write_weights

_ENCODE_BATCH = 64


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="animate.yaml")
    parser.add_argument("--autoencoder", type=Path, required=True)
    parser.add_argument("--clips", type=Path, required=True, help="sequences to learn from")
    parser.add_argument("--held-out", type=Path, required=True, help="sequences to validate on")
    parser.add_argument("--output", type=Path, required=True, help="weights (.safetensors)")
    parser.add_argument("--metrics", type=Path, required=True)
    parser.add_argument("--log", type=Path, required=True)
    arguments = parser.parse_args()

    config = load_config(arguments.config, AnimateConfig)
    make_deterministic(config.seed, config.threads)
    inputs = [arguments.autoencoder, arguments.clips, arguments.held_out]
    checkpoints = Checkpoints(
        run_key(__file__, [arguments.config, *inputs]), config.train.checkpoint_every
    )
    device = choose_device(config.device)
    autoencoder = load_autoencoder(arguments.autoencoder, device)

    def encode(path: Path) -> ClipLatents:
        clips = ClipSet.load(path)
        return encode_clips(autoencoder, clips.rgb, clips.reference_rgb, clips.parts, _ENCODE_BATCH)

    denoiser, rows = train_animator(
        config,
        encode(arguments.clips),
        encode(arguments.held_out),
        device,
        checkpoints,
    )
    write_weights(arguments.output, denoiser.state_dict(), {"animate": config.model_dump()})
    write_log(arguments.log, rows)
    write_json(
        arguments.metrics,
        {
            "parameters": sum(parameter.numel() for parameter in denoiser.parameters()),
            "sequences_seen": config.train.steps * config.train.batch_size,
        }
        | {name: round(value, 6) for name, value in rows[-1].items() if name != "step"},
    )
    checkpoints.discard()


if __name__ == "__main__":
    run(main)
