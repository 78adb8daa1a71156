"""Image-pose pairs that an estimator finds hard, for fine-tuning it elsewhere.

The estimator is a checkpoint of this project (.safetensors), a Python callable `file.py:name`, or
a command in quotes; the protocol is in src/poseloop/posegen/external.py. Poses are drawn from the
warmed-up generator, rendered by the fast field, filtered, and the hardest within the cap kept.
"""

import argparse
import math
import runpy
import shlex
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from poseloop.body.model import load_body
from poseloop.posegen.candidates import judge_pairs
from poseloop.posegen.config import PosegenConfig
from poseloop.posegen.config_images import ImageSetsConfig
from poseloop.posegen.config_nerf import NerfConfig
from poseloop.posegen.estimator_training import (
    estimate_all,
    joint_errors,
    load_estimator,
    surface_body,
)
from poseloop.posegen.external import from_callable, from_command
from poseloop.posegen.loading import load_gan, load_stage
from poseloop.posegen.pictures import render
from poseloop.posegen.skeleton import SurfaceBody
from poseloop.runtime.cli import run
from poseloop.runtime.config import load_config
from poseloop.runtime.device import choose_device
from poseloop.runtime.errors import UserError
from poseloop.runtime.files import write_json
from poseloop.runtime.seeds import make_deterministic, torch_rng
from poseloop.runtime.study import config_file

_LIMIT_SECONDS = 600.0


def open_estimator(text: str, body: SurfaceBody) -> Callable[[np.ndarray], torch.Tensor]:
    """The estimator that the user names, as a function of pictures."""
    if text.endswith(".safetensors"):
        estimator, _ = load_estimator(text, body)
        return lambda rgb: estimate_all(estimator, rgb).joints
    path, _, name = text.rpartition(":")
    if path.endswith(".py") and Path(path).is_file():
        found = runpy.run_path(path).get(name)
        if not callable(found):
            raise UserError(f"--estimator {text}: {path} has no function {name!r}")
        return from_callable(found, text)
    return from_command(shlex.split(text), _LIMIT_SECONDS)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--estimator", required=True, help="weights, file.py:name, or a command")
    parser.add_argument("--count", type=int, required=True, help="pairs to keep")
    parser.add_argument("--preset", default="demo", help="preset whose results are used")
    parser.add_argument("--results", type=Path, help="folder of results; of the preset if absent")
    parser.add_argument("--seed", type=int, help="a seed of the generators; the first if absent")
    parser.add_argument("--output", type=Path, required=True, help="npz of pairs; a report beside")
    arguments = parser.parse_args()
    if arguments.count < 1:
        raise UserError("--count: must be a whole number from 1")

    results = arguments.results or Path("results") / arguments.preset
    made = results / "posegen"
    config = load_config(config_file(arguments.preset, "posegen"), PosegenConfig)
    nerf = load_config(config_file(arguments.preset, "posegen_nerf"), NerfConfig)
    pictures = load_config(config_file(arguments.preset, "posegen_images"), ImageSetsConfig)
    seed = config.seeds[0] if arguments.seed is None else arguments.seed
    make_deterministic(seed, config.threads)
    body = load_body(results / "body")
    device = choose_device(config.device)
    compact = surface_body(body, pictures.surface_points).to(device)
    gan, prior = load_gan(made / "generator.safetensors", config, seed, device)
    stage = load_stage(
        config,
        nerf,
        body,
        compact,
        prior,
        gan.bounds,
        made / "images/ordinary.npz",
        made / "images/validation.npz",
        made / "estimators/check.safetensors",
        made / "nerf/parts.safetensors",
    )
    estimate = open_estimator(arguments.estimator, compact)
    known = torch.from_numpy(stage.anchor.joints)
    reference = float(joint_errors(estimate(stage.anchor.rgb), known).mean())
    generator = torch_rng(seed, "posegen", "hard poses")
    rendered = math.ceil(arguments.count * config.mined / config.prints)
    drawn = gan.sample(rendered, config.generator.noise, generator)
    images = render(stage, "nerf", drawn, generator, (seed, "hard poses"))
    inside = gan.bounds.contains(drawn).cpu().numpy().repeat(config.prints)
    verdict = judge_pairs(images, inside, estimate, stage.check, config.filter, reference, True)
    kept = np.flatnonzero(verdict.kept)
    kept = kept[np.argsort(-verdict.hardness[kept], kind="stable")][: arguments.count]
    if len(kept) == 0:
        raise UserError(f"no pair passed the filter: rejected {verdict.reasons}")
    images[kept].save(arguments.output)
    report = {
        "asked": arguments.count,
        "kept": len(kept),
        "rendered": len(images),
        "rejected": verdict.reasons,
        "mean_error_mm": {
            "ordinary": round(1000 * reference, 2),
            "kept": round(1000 * reference * float(verdict.hardness[kept].mean()), 2),
        },
    }
    write_json(arguments.output.with_suffix(".json"), report)
    print(report)


if __name__ == "__main__":
    run(main)
