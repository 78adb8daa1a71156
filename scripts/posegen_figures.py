"""Draw PoseGen's figures."""

import argparse
from pathlib import Path

import numpy as np

from poseloop.body.model import load_body
from poseloop.evaluate.estimators import load_tuned
from poseloop.posegen.config import PosegenConfig
from poseloop.posegen.config_images import ImageSetsConfig
from poseloop.posegen.estimator_training import estimate_all, surface_body
from poseloop.posegen.imageset import ImageSet
from poseloop.report.figure_posegen import (
    draw_coverage,
    draw_grid,
    draw_hardness,
    draw_overlays,
)
from poseloop.report.posegen_config import PosegenReportConfig
from poseloop.report.posegen_metrics import FIELDS
from poseloop.report.style import save
from poseloop.runtime.cli import run
from poseloop.runtime.config import load_config
from poseloop.runtime.files import read_npz


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="posegen_report.yaml")
    parser.add_argument("--study", type=Path, required=True, help="posegen.yaml")
    parser.add_argument("--image-config", type=Path, required=True, help="posegen_images.yaml")
    parser.add_argument("--body", type=Path, required=True, help="body model file or folder")
    parser.add_argument("--ordinary", type=Path, required=True, help="training pictures")
    parser.add_argument("--tests", type=Path, nargs="+", required=True, help="test sets")
    parser.add_argument(
        "--examples", type=Path, nargs="+", required=True, help="seed*.npz, of one or more folders"
    )
    parser.add_argument("--model", type=Path, required=True, help="weights of one seed")
    parser.add_argument("--fields", type=Path, required=True, help="turntables, pairs (.npz)")
    parser.add_argument(
        "--output", type=Path, required=True, help="folder for fig_posegen_*.png and .pdf"
    )
    arguments = parser.parse_args()

    config = load_config(arguments.config, PosegenReportConfig)
    study = load_config(arguments.study, PosegenConfig)
    points = load_config(arguments.image_config, ImageSetsConfig).surface_points
    ordinary = ImageSet.load(arguments.ordinary)
    tests = {path.stem: ImageSet.load(path) for path in arguments.tests}
    seeds: dict[str, dict[str, np.ndarray]] = {}
    for path in arguments.examples:
        seeds[path.stem] = seeds.get(path.stem, {}) | read_npz(path)
    examples = list(seeds.values())
    labels = {name: entry.label for name, entry in study.methods.items()}
    first = examples[0]
    # The pictures of one pose lie side by side: one of each pose is shown.
    few = slice(0, config.samples * study.prints, study.prints)
    rows = {"ordinary": ordinary.rgb[few]}
    rows |= {labels[m]: first[f"{m}_rgb"][few] for m in labels if f"{m}_rgb" in first}
    rounds = {
        labels[m]: np.concatenate([part[f"{m}_hardness"] for part in examples], axis=1)
        for m in labels
        if f"{m}_hardness" in first and first[f"{m}_hardness"].size
    }
    joints = {"ordinary": ordinary.joints} | {n: images.joints for n, images in tests.items()}
    views = {"ordinary": ordinary.camera} | {n: images.camera for n, images in tests.items()}
    made = f"{study.main}_joints"
    joints["PoseGen"] = np.concatenate([part[made] for part in examples])
    views["PoseGen"] = np.concatenate([part[f"{study.main}_camera"] for part in examples])
    body = surface_body(load_body(arguments.body), points)
    tuned = load_tuned(arguments.model, body)
    pictures = np.concatenate([images.rgb[: config.overlays] for images in tests.values()])
    truth = np.concatenate([images.joints2d[: config.overlays] for images in tests.values()])
    skeletons = {
        label: estimate_all(tuned[method], pictures).joints2d.numpy()
        for method, label in ((study.baseline, "before"), (study.main, "after PoseGen"))
    }
    names = [name for name in tests for _ in range(config.overlays)]
    fields = read_npz(arguments.fields)
    pairs = {
        f"{label}, new {split}": fields[f"{name}_{split}"]
        for split in ("view", "pose")
        for name, label in ({"truth": "truth"} | FIELDS).items()
    }
    turntable = {f"subject {n + 1}": row for n, row in enumerate(fields["turntable"])}
    figures = {
        "samples": draw_grid(rows, "Pictures that each method fine-tunes on, last round"),
        "hardness": draw_hardness(rounds, config.bins),
        "coverage": draw_coverage(joints, views),
        "overlays": draw_overlays(pictures, skeletons | {"truth": truth}, names),
        "turntable": draw_grid(turntable, "The fast field's subjects at rest"),
        "fields": draw_grid(pairs, "Held-out views and poses: truth and both fields"),
    }
    for name, figure in figures.items():
        stem = arguments.output / f"fig_posegen_{name}"
        save(figure, [stem.with_suffix(".png"), stem.with_suffix(".pdf")])


if __name__ == "__main__":
    run(main)
