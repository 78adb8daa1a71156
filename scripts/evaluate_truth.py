"""Measure the benchmarks' own true views: the floor of hull and judge."""

import argparse
from pathlib import Path

from poseloop.evaluate.config import EvaluateConfig
from poseloop.evaluate.metrics_files import write_metrics
from poseloop.evaluate.pose import load_judge
from poseloop.evaluate.protocol import evaluate_truth, read_benchmark
from poseloop.runtime.cli import run
from poseloop.runtime.config import load_config
from poseloop.runtime.seeds import make_deterministic


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="evaluate.yaml")
    parser.add_argument("--judge", type=Path, required=True, help="the judge's weights")
    parser.add_argument("--benchmarks", type=Path, nargs="+", required=True)
    parser.add_argument("--output", type=Path, required=True, help="metrics (.json)")
    arguments = parser.parse_args()

    config = load_config(arguments.config, EvaluateConfig)
    make_deterministic(config.seed, config.threads)
    judge = load_judge(arguments.judge)
    tables = {
        path.stem: evaluate_truth(read_benchmark(path), judge, config)
        for path in arguments.benchmarks
    }
    write_metrics(arguments.output, tables)


if __name__ == "__main__":
    run(main)
