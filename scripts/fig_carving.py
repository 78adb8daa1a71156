"""Draw hulls, fitted bodies and carved meshes of the subjects whose hulls are farthest off.

A figure of words where no subject was carved.
"""

import argparse
from pathlib import Path

import numpy as np

from poseloop.body.model import load_body
from poseloop.evaluate.config import EvaluateConfig
from poseloop.evaluate.hull import visual_hull
from poseloop.evaluate.masks import soft_masks
from poseloop.evaluate.metrics_files import read_metrics
from poseloop.reconstruct.store import read_carved
from poseloop.reconstruct.subject import Carved
from poseloop.report.carving import HULL, METRICS, carved_rows
from poseloop.report.config import ReportConfig
from poseloop.report.figure_carving import draw_carving, draw_skipped, pictures_of
from poseloop.report.style import save
from poseloop.report.tables import TRUTH
from poseloop.runtime.cli import run
from poseloop.runtime.config import load_config
from poseloop.runtime.files import read_npz
from poseloop.runtime.study import StudyConfig


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="report.yaml")
    parser.add_argument("--evaluate", type=Path, required=True, help="evaluate.yaml")
    parser.add_argument("--study", type=Path, required=True, help="study.yaml")
    parser.add_argument("--body", type=Path, required=True, help="body model file or folder")
    parser.add_argument("--benchmark", type=Path, required=True)
    parser.add_argument(
        "--carved", type=Path, nargs="+", required=True, help="{views}/seed{seed}/{benchmark}.npz"
    )
    parser.add_argument(
        "--views", type=Path, nargs="+", required=True, help="the views they come from, in order"
    )
    parser.add_argument(
        "--metrics", type=Path, required=True, help="hull.json of the first, skipped.json beside it"
    )
    parser.add_argument("--output", type=Path, nargs="+", required=True, help=".png and .pdf")
    arguments = parser.parse_args()

    count = load_config(arguments.config, ReportConfig).qualitative.subjects
    evaluate = load_config(arguments.evaluate, EvaluateConfig)
    labels = {TRUTH: "true views"} | load_config(arguments.study, StudyConfig).methods
    body, name = load_body(arguments.body), arguments.benchmark.stem
    inputs = read_npz(arguments.benchmark, "input_rgb", "azimuths", only=True)
    carved = [read_carved(path) for path in arguments.carved]
    views = [read_npz(path, "rgb", "normal", only=True) for path in arguments.views]
    told = carved_rows(arguments.metrics.parent, name)
    # The metrics do not name a benchmark of which nothing was carved.
    errors = read_metrics(arguments.metrics)[name][METRICS[0]] if told else []
    error = dict(zip(told, errors, strict=True))
    shared = [row for row in told if all(isinstance(meshes.get(row), Carved) for meshes in carved)]
    names = [labels[path.parent.parent.name] for path in arguments.carved]
    if not shared:
        save(draw_skipped(dict(zip(names, carved, strict=True)), name), arguments.output)
        return
    lines = []
    for row in sorted(shared, key=error.__getitem__, reverse=True)[:count]:
        for label, meshes, pictures in zip(names, carved, views, strict=True):
            masks = soft_masks(
                pictures["rgb"][row], pictures["normal"][row], evaluate.images.colour_contrast
            )
            hull, mesh = visual_hull(masks, inputs["azimuths"], evaluate.hull), meshes[row]
            shots = pictures_of(
                inputs["input_rgb"][row],
                (hull.vertices, hull.faces),
                (mesh.body.astype(np.float64), body.faces),
                (mesh.vertices.astype(np.float64), mesh.faces),
                mesh.colours,
            )
            lines.append((f"{row}, {label}", shots))
    title = f"{name}: the subjects whose {HULL}s are farthest off, one seed"
    save(draw_carving(lines, title), arguments.output)


if __name__ == "__main__":
    run(main)
