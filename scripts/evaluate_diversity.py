"""Measure how much a method's samples of one subject differ between seeds."""

import argparse
from collections import defaultdict
from pathlib import Path

import numpy as np

from poseloop.evaluate.config import EvaluateConfig
from poseloop.evaluate.diversity import seed_diversity
from poseloop.evaluate.metrics_files import write_metrics
from poseloop.runtime.cli import run
from poseloop.runtime.config import load_config
from poseloop.runtime.errors import UserError
from poseloop.runtime.files import read_npz


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="evaluate.yaml")
    parser.add_argument(
        "--samples", type=Path, nargs="+", required=True, help="files of all seeds of one method"
    )
    parser.add_argument("--output", type=Path, required=True, help="metrics (.json)")
    arguments = parser.parse_args()

    config = load_config(arguments.config, EvaluateConfig)
    by_benchmark = defaultdict(list)
    for path in arguments.samples:
        by_benchmark[path.stem].append(path)
    tables = {}
    for benchmark, paths in by_benchmark.items():
        normals = [read_npz(path, "normal", only=True)["normal"] for path in paths]
        if len({array.shape for array in normals}) > 1:
            raise UserError(f"{paths[0]}: the other seeds' normal views have another shape")
        tables[benchmark] = seed_diversity(np.stack(normals), config.images.mask_level)
    write_metrics(arguments.output, tables)


if __name__ == "__main__":
    run(main)
