"""Fine-tune the multi-view base by PoseScore: one variant, one seed."""

import argparse
from pathlib import Path

import torch

from poseloop.multiview.dataset import read_latents
from poseloop.multiview.fitting import write_log
from poseloop.multiview.loading import load_multiview
from poseloop.reward.config import DrPoseConfig
from poseloop.reward.finetune import finetune
from poseloop.reward.posescore import load_posescore
from poseloop.runtime.checkpoints import Checkpoints, run_key
from poseloop.runtime.cli import run
from poseloop.runtime.config import load_config
from poseloop.runtime.device import choose_device
from poseloop.runtime.errors import UserError
from poseloop.runtime.files import read_npz, write_json
from poseloop.runtime.processes import join_processes
from poseloop.runtime.seeds import make_deterministic
from poseloop.runtime.weights import write_weights


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--variant", required=True, help="a key of `variants` in the config")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--multiview", type=Path, required=True)
    parser.add_argument("--posescore", type=Path, required=True)
    parser.add_argument("--poses", type=Path, required=True, help="poseset/images.npz")
    parser.add_argument("--poseset", type=Path, required=True, help="its latents")
    parser.add_argument("--latents", type=Path, required=True)
    parser.add_argument("--validation", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--log", type=Path, required=True)
    parser.add_argument("--metrics", type=Path, required=True)
    arguments = parser.parse_args()

    config = load_config(arguments.config, DrPoseConfig)
    if arguments.variant not in config.variants:
        raise UserError(f"{arguments.config}: variants: no variant called {arguments.variant!r}")
    variant = config.variants[arguments.variant]
    processes = join_processes(config.device == "cpu")
    make_deterministic(arguments.seed, config.threads)
    device = choose_device(config.device)
    base, base_config = load_multiview(arguments.multiview, device)
    held_out = read_latents(arguments.validation, with_views=True)
    ordinary = torch.from_numpy(read_npz(arguments.poses, "ordinary")["ordinary"])
    inputs = [
        arguments.config,
        arguments.multiview,
        arguments.posescore,
        arguments.poses,
        arguments.poseset,
        arguments.latents,
        arguments.validation,
    ]
    key = run_key(__file__, inputs, arguments.variant, arguments.seed)
    checkpoints = Checkpoints(key, config.checkpoint_every)
    denoiser, rows = finetune(
        base,
        base_config,
        load_posescore(arguments.posescore, device),
        read_latents(arguments.poseset, with_views=False),
        ordinary,
        read_latents(arguments.latents, with_views=True),
        {name: held_out.of_group(name) for name in sorted(set(held_out.group))},
        config,
        variant,
        arguments.seed,
        device,
        checkpoints,
        processes,
    )
    if processes.rank > 0:
        return
    write_weights(arguments.output, denoiser.state_dict(), {"multiview": base_config.model_dump()})
    write_log(arguments.log, rows)
    samples = variant.steps * variant.batch_size * variant.accumulation
    write_json(
        arguments.metrics,
        {"samples_seen": samples}
        | {name: round(value, 6) for name, value in rows[-1].items() if name != "step"},
    )
    checkpoints.discard()


if __name__ == "__main__":
    run(main)
