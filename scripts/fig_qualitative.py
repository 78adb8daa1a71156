"""Draw generated views of the hardest subjects beside the truth."""

import argparse
from pathlib import Path

from poseloop.report.config import ReportConfig
from poseloop.report.figure_qualitative import draw_qualitative, hardest
from poseloop.report.style import save
from poseloop.report.tables import BASE, gather
from poseloop.runtime.cli import run
from poseloop.runtime.config import load_config
from poseloop.runtime.errors import UserError
from poseloop.runtime.files import read_npz
from poseloop.runtime.study import StudyConfig


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="report.yaml")
    parser.add_argument("--study", type=Path, required=True, help="study.yaml")
    parser.add_argument("--benchmark", type=Path, required=True)
    parser.add_argument(
        "--samples", type=Path, nargs="+", required=True, help="{method}/seed{seed}/*.npz to show"
    )
    parser.add_argument(
        "--metrics", type=Path, nargs="+", required=True, help="base/seed{seed}.json, all seeds"
    )
    parser.add_argument("--output", type=Path, nargs="+", required=True, help=".png and .pdf")
    arguments = parser.parse_args()

    config = load_config(arguments.config, ReportConfig).qualitative
    methods = load_config(arguments.study, StudyConfig).methods
    error = gather(arguments.metrics).get((BASE, arguments.benchmark.stem, "judge_mpjpe"))
    if error is None:
        raise UserError(f"{arguments.metrics[0]}: no judge_mpjpe on {arguments.benchmark.stem}")
    benchmark = read_npz(arguments.benchmark, "input_rgb", "rgb", "normal", "azimuths", only=True)
    sources = {
        methods[path.parent.parent.name]: read_npz(path, "rgb", "normal")
        for path in arguments.samples
    }
    save(
        draw_qualitative(
            benchmark,
            sources | {"truth": benchmark},
            hardest(error, config.subjects),
            config.azimuths,
            f"{arguments.benchmark.stem}: the subjects with the greatest joint error of the base "
            "(judge, mean over seeds), one seed shown",
        ),
        arguments.output,
    )


if __name__ == "__main__":
    run(main)
