"""Make the body that all people have: bake the open one, or convert a licensed file."""

import argparse
from pathlib import Path

import torch

from poseloop.body.config import BodyConfig
from poseloop.body.files import write_body
from poseloop.runtime.cli import run
from poseloop.runtime.config import load_config
from poseloop.runtime.files import write_json
from poseloop.runtime.seeds import numpy_rng


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", required=True, help="body.yaml")
    parser.add_argument("--out", required=True, type=Path, help="folder of the body")
    arguments = parser.parse_args()
    config = load_config(arguments.config, BodyConfig)
    torch.set_num_threads(config.threads)
    arrays, report = _licensed(config) if config.source == "licensed" else _open(config)
    write_body(arguments.out, arrays)
    write_json(arguments.out / "report.json", report)


def _open(config: BodyConfig) -> tuple[dict, dict]:
    from poseloop.body.anny_source import read_rest_shapes
    from poseloop.body.bake import bake

    rng = numpy_rng(config.seed, "body", "phenotypes")
    phenotypes = {
        name: rng.uniform(low, high, config.samples)
        for name, (low, high) in config.phenotypes.model_dump().items()
    }
    shapes = read_rest_shapes(phenotypes)
    return bake(shapes, config.faces, config.shape_components, config.regressor_vertices)


def _licensed(config: BodyConfig) -> tuple[dict, dict]:
    from poseloop.body.files import read_body

    arrays = read_body(config.path, config.model_type, config.shape_components)
    return arrays, {"vertices": len(arrays["v_template"]), "faces": len(arrays["f"])}


if __name__ == "__main__":
    run(main)
