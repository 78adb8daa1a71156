"""Draw the error of the best of M hypotheses against M."""

import argparse
from pathlib import Path

from poseloop.hmr.study import AdhmrStudyConfig
from poseloop.hmr.values import read_values
from poseloop.report.figure_hmr_min import draw_min_curves
from poseloop.report.hmr_config import HmrReportConfig
from poseloop.report.hmr_tables import stack_seeds
from poseloop.report.style import save
from poseloop.runtime.cli import run
from poseloop.runtime.config import load_config
from poseloop.runtime.seeds import numpy_rng


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="adhmr_report.yaml")
    parser.add_argument("--study", type=Path, required=True, help="adhmr_study.yaml")
    parser.add_argument("--values", type=Path, nargs="+", required=True, help="{method}/seed*.json")
    parser.add_argument("--output", type=Path, nargs="+", required=True, help=".png and .pdf")
    arguments = parser.parse_args()

    config = load_config(arguments.config, HmrReportConfig)
    study = load_config(arguments.study, AdhmrStudyConfig)
    files: dict[str, list[dict]] = {}
    for path in sorted(arguments.values):
        files.setdefault(path.parent.name, []).append(read_values(path))
    methods = {name: study.methods[name] for name in config.curves}
    rng = numpy_rng(config.seed, "min curves")
    results = stack_seeds(files)
    figure = draw_min_curves(results, methods, study.evaluation, config.resamples, rng)
    save(figure, arguments.output)


if __name__ == "__main__":
    run(main)
