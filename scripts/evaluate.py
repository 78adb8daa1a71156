"""Measure a method's samples against the benchmarks, one value per subject and metric."""

import argparse
from pathlib import Path

from poseloop.evaluate.config import EvaluateConfig
from poseloop.evaluate.lpips import Lpips
from poseloop.evaluate.metrics_files import write_metrics
from poseloop.evaluate.pose import load_judge
from poseloop.evaluate.protocol import evaluate_samples, read_benchmark, read_samples
from poseloop.runtime.cli import run
from poseloop.runtime.config import load_config
from poseloop.runtime.errors import UserError
from poseloop.runtime.seeds import make_deterministic


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="evaluate.yaml")
    parser.add_argument("--judge", type=Path, required=True, help="the judge's weights")
    parser.add_argument("--benchmarks", type=Path, nargs="+", required=True)
    parser.add_argument(
        "--samples", type=Path, nargs="+", required=True, help="one file per benchmark, same name"
    )
    parser.add_argument("--output", type=Path, required=True, help="metrics (.json)")
    arguments = parser.parse_args()

    config = load_config(arguments.config, EvaluateConfig)
    make_deterministic(config.seed, config.threads)
    judge = load_judge(arguments.judge)
    lpips = Lpips(config.images.lpips_backbone) if config.images.lpips_backbone else None
    if lpips is None:
        print("LPIPS left out: images.lpips_backbone names no weights", flush=True)
    samples = {path.stem: path for path in arguments.samples}
    tables = {}
    for path in arguments.benchmarks:
        if path.stem not in samples:
            raise UserError(f"{path}: --samples names no file for this benchmark")
        benchmark = read_benchmark(path)
        views = read_samples(samples[path.stem], benchmark)
        tables[path.stem] = evaluate_samples(views, benchmark, judge, config, lpips)
    write_metrics(arguments.output, tables)


if __name__ == "__main__":
    run(main)
