"""Measure training of the multi-view denoiser: images a second, TFLOP/s and memory.

Beside it the same network in the loop of diffusers' examples, and the rate of matrix products, of
which training reaches a share.
"""

import argparse
from pathlib import Path

from poseloop.multiview.config import MultiviewConfig
from poseloop.report.planning.throughput import matrix_rate, rates, train_here, train_plainly
from poseloop.runtime.cli import run
from poseloop.runtime.config import load_config
from poseloop.runtime.device import choose_device
from poseloop.runtime.files import write_json
from poseloop.runtime.seeds import make_deterministic


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--config", type=Path, required=True, help="multiview.yaml")
    parser.add_argument("--side", type=int, default=32, help="of the latents")
    parser.add_argument("--steps", type=int, default=50, help="steps that are timed")
    parser.add_argument("--warmup", type=int, default=20, help="steps before them")
    parser.add_argument("--matrix", type=int, default=8192, help="side of the matrices")
    parser.add_argument("--output", type=Path, help="JSON to write")
    arguments = parser.parse_args()
    config = load_config(arguments.config, MultiviewConfig)
    make_deterministic(config.seed, config.threads)
    device = choose_device(config.device)
    card = matrix_rate(device, arguments.matrix)
    measured = {"matrix_tflops": card}
    print(f"matrix products: {card:.1f} TFLOP/s")
    for name, train in (("diffusers", train_plainly), ("poseloop", train_here)):
        rate = rates(train, config, arguments.side, device, arguments.steps, arguments.warmup)
        measured |= {f"{name}_{key}": value for key, value in rate.items()}
        print(
            f"{name}: {rate['images']:.1f} images a second, {rate['tflops']:.2f} TFLOP/s, "
            f"{rate['tflops'] / card:.1%} of matrix products, {rate['gigabytes']:.1f} GB"
        )
    print(f"{measured['poseloop_images'] / measured['diffusers_images']:.2f} times the images")
    if arguments.output:
        write_json(arguments.output, measured)


if __name__ == "__main__":
    run(main)
