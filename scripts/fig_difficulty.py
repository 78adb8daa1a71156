"""Draw error against the distance of each pose from the training scans."""

import argparse
from pathlib import Path

import numpy as np

from poseloop.evaluate.difficulty import pose_distance
from poseloop.report.config import ReportConfig
from poseloop.report.figure_difficulty import draw_difficulty
from poseloop.report.style import save
from poseloop.report.tables import gather
from poseloop.runtime.cli import run
from poseloop.runtime.config import load_config
from poseloop.runtime.files import read_npz
from poseloop.runtime.seeds import numpy_rng
from poseloop.runtime.study import StudyConfig


def joints_in_metres(path: Path) -> np.ndarray:
    arrays = read_npz(path, "joints", "metres_per_unit", only=True)
    return arrays["joints"].astype(float) * arrays["metres_per_unit"][:, None, None]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="report.yaml")
    parser.add_argument("--study", type=Path, required=True, help="study.yaml")
    parser.add_argument("--scans", type=Path, nargs="+", required=True, help="training scans")
    parser.add_argument("--benchmarks", type=Path, nargs="+", required=True)
    parser.add_argument(
        "--metrics", type=Path, nargs="+", required=True, help="{method}/seed{seed}.json"
    )
    parser.add_argument("--output", type=Path, nargs="+", required=True, help=".png and .pdf")
    arguments = parser.parse_args()

    config = load_config(arguments.config, ReportConfig)
    methods = load_config(arguments.study, StudyConfig).methods
    scans = np.concatenate([joints_in_metres(path) for path in arguments.scans])
    distance = np.concatenate(
        [pose_distance(joints_in_metres(path), scans) for path in arguments.benchmarks]
    )
    results = gather(arguments.metrics)
    metric = config.difficulty.metric
    errors = {
        label: np.concatenate(
            [results[method, path.stem, metric] for path in arguments.benchmarks], axis=1
        )
        for method, label in methods.items()
    }
    rng = numpy_rng(config.seed, "difficulty")
    save(
        draw_difficulty(distance, errors, metric, config.difficulty.bins, config.resamples, rng),
        arguments.output,
    )


if __name__ == "__main__":
    run(main)
