"""Write the results as one web page that needs no network."""

import argparse
from pathlib import Path

from poseloop.evaluate.config import EvaluateConfig
from poseloop.report.figure_qualitative import hardest
from poseloop.report.html.browser import browse
from poseloop.report.html.cells import NUMBERS, Provenance
from poseloop.report.html.comparison import compared_section
from poseloop.report.html.config import HtmlConfig
from poseloop.report.html.drawing import draw_graph, longest_time
from poseloop.report.html.graph import rule_graph, rule_seconds
from poseloop.report.html.loops import sections
from poseloop.report.html.meshes import mesh_sets
from poseloop.report.html.page import render, write_page
from poseloop.report.provenance.chain import Tracer
from poseloop.report.provenance.pipeline import read_pipeline
from poseloop.report.tables import BASE, gather
from poseloop.runtime.cli import run
from poseloop.runtime.config import load_config
from poseloop.runtime.errors import UserError
from poseloop.runtime.files import read_npz
from poseloop.runtime.study import StudyConfig

PICTURES = ("input_rgb", "rgb", "normal", "azimuths", "vertices", "faces")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--preset", required=True)
    parser.add_argument("--config", type=Path, required=True, help="report_html.yaml")
    parser.add_argument("--study", type=Path, required=True, help="study.yaml")
    parser.add_argument("--evaluate", type=Path, required=True, help="evaluate.yaml, for the hulls")
    parser.add_argument("--tables", type=Path, nargs="+", required=True, help="CSV files")
    parser.add_argument("--figures", type=Path, nargs="+", required=True, help="PNG files")
    parser.add_argument("--benchmarks", type=Path, nargs="+", required=True)
    parser.add_argument(
        "--samples", type=Path, nargs="+", required=True, help="{method}/seed{seed}/{benchmark}.npz"
    )
    parser.add_argument("--metrics", type=Path, nargs="+", required=True, help="base/seed*.json")
    parser.add_argument("--template", type=Path, required=True, help="index.html.j2")
    parser.add_argument("--viewer", type=Path, required=True, help="bundled script")
    parser.add_argument("--times", type=Path, required=True, help="folder of benchmark files")
    parser.add_argument("--output", type=Path, required=True, help=".html")
    arguments = parser.parse_args()

    config = load_config(arguments.config, HtmlConfig)
    methods = load_config(arguments.study, StudyConfig).methods
    evaluate = load_config(arguments.evaluate, EvaluateConfig)
    pipeline = read_pipeline()
    provenance = Provenance(Tracer(pipeline, arguments.preset))
    results = gather(arguments.metrics)
    subjects, meshes = [], []
    for path in arguments.benchmarks:
        error = results.get((BASE, path.stem, "judge_mpjpe"))
        if error is None:
            raise UserError(f"{arguments.metrics[0]}: no judge_mpjpe on {path.stem}")
        benchmark = read_npz(path, *PICTURES, only=True)
        sources = {
            methods[file.parent.parent.name]: read_npz(file, "rgb", "normal")
            for file in arguments.samples
            if file.stem == path.stem
        }
        subjects += browse(path.stem, benchmark, sources, error, config.subjects)
        if path.stem == config.mesh_benchmark:
            chosen = hardest(error, config.mesh_subjects)
            meshes = mesh_sets(benchmark, sources, chosen, evaluate)
    if not meshes:
        raise UserError(f"{arguments.config}: mesh_benchmark: no {config.mesh_benchmark} in study")
    loops = sections(
        arguments.tables, arguments.figures, arguments.template.parent.parent, provenance
    )
    other = config.compare_with
    compared = None if other is None else compared_section(arguments.tables, Path(other))
    nodes = rule_graph(pipeline, rule_seconds(arguments.times))
    content = {
        "preset": arguments.preset,
        "loops": loops,
        "numeric": NUMBERS,
        "compared": compared,
        "subjects": subjects,
        "meshes": meshes,
        "mesh_benchmark": config.mesh_benchmark,
        "graph": draw_graph(nodes),
        "longest": longest_time(nodes),
        "provenance": provenance.as_dict(),
    }
    write_page(arguments.output, render(arguments.template, arguments.viewer, content), config)


if __name__ == "__main__":
    run(main)
