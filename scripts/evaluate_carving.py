"""Measure carved meshes, the bodies they start from, and the visual hulls of the same views."""

import argparse
from pathlib import Path

from poseloop.evaluate.carving import carving_metrics, summarise_starts
from poseloop.evaluate.config import EvaluateConfig
from poseloop.evaluate.metrics_files import write_metrics
from poseloop.evaluate.protocol import read_benchmark
from poseloop.reconstruct.store import read_carved
from poseloop.reconstruct.subject import Carved
from poseloop.runtime.cli import run
from poseloop.runtime.config import load_config
from poseloop.runtime.errors import UserError
from poseloop.runtime.files import read_npz, write_json
from poseloop.runtime.seeds import make_deterministic


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="evaluate.yaml")
    parser.add_argument("--benchmarks", type=Path, nargs="+", required=True)
    parser.add_argument(
        "--views", type=Path, nargs="+", required=True, help="one file per benchmark, same name"
    )
    parser.add_argument(
        "--carved", type=Path, nargs="+", required=True, help="one file per benchmark, same name"
    )
    parser.add_argument(
        "--outputs",
        type=Path,
        nargs=3,
        required=True,
        help="metrics called hull.json, body.json and carving.json",
    )
    parser.add_argument("--skipped", type=Path, required=True, help="subjects left out (.json)")
    arguments = parser.parse_args()

    config = load_config(arguments.config, EvaluateConfig)
    make_deterministic(config.seed, config.threads)
    views = {path.stem: path for path in arguments.views}
    meshes = {path.stem: path for path in arguments.carved}
    tables: dict[str, dict] = {path.stem: {} for path in arguments.outputs}
    skipped = {}
    for path in arguments.benchmarks:
        name = path.stem
        if name not in views or name not in meshes:
            raise UserError(f"{path}: --views or --carved names no file for this benchmark")
        benchmark = read_benchmark(path)
        pictures = read_npz(views[name], "rgb", "normal", only=True)
        subjects = read_carved(meshes[name])
        count = len(benchmark["vertices"])
        if len(pictures["normal"]) != count or max(subjects, default=0) >= count:
            raise UserError(f"{meshes[name]}: its subjects or views are not those of {path}")
        carved = {row: one for row, one in subjects.items() if isinstance(one, Carved)}
        skipped[name] = {
            "subjects": list(subjects),
            "reasons": {str(row): one for row, one in subjects.items() if row not in carved},
            "starts": summarise_starts(list(carved.values())),
        }
        if not carved:
            continue
        metrics = carving_metrics(carved, pictures["rgb"], pictures["normal"], benchmark, config)
        for kind, table in metrics.items():
            tables[kind][name] = table
    for path in arguments.outputs:
        write_metrics(path, tables[path.stem])
    write_json(arguments.skipped, skipped)


if __name__ == "__main__":
    run(main)
