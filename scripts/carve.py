"""Carve a mesh from the six views of each subject: fitted body, remeshing, vertex colours.

Views are a samples or benchmark file (.npz), or a folder with one folder of pictures per subject
(normal_000.png, rgb_000.png and so on, see reconstruct/pictures.py). Masks and hulls are those of
the evaluation, so that carved meshes and hulls come from the same evidence. A subject that cannot
be carved is reported and left out of the GLB files.
"""

import argparse
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
from tqdm import tqdm

from poseloop.body.model import load_body
from poseloop.data.parallel import map_ordered
from poseloop.data.spread import even_rows
from poseloop.evaluate.config import EvaluateConfig
from poseloop.evaluate.hull import occupancy
from poseloop.evaluate.masks import soft_masks
from poseloop.reconstruct.body_fit import Start
from poseloop.reconstruct.config import CarveConfig
from poseloop.reconstruct.pictures import Pictures, read_views
from poseloop.reconstruct.starts import StartPoses, read_estimates, read_starts
from poseloop.reconstruct.store import write_carved, write_glb
from poseloop.reconstruct.subject import Views, carve_subject, prepare_views
from poseloop.reconstruct.targets import unequal_sizes
from poseloop.runtime.cli import run
from poseloop.runtime.config import load_config
from poseloop.runtime.device import choose_device
from poseloop.runtime.errors import UserError
from poseloop.runtime.seeds import make_deterministic


def look_at(
    pictures: Pictures,
    estimate: Start | None,
    starts: StartPoses,
    config: CarveConfig,
    evaluate: EvaluateConfig,
) -> Views | str:
    """One subject's views with their silhouettes and hull, or why they cannot be carved."""
    reason = unequal_sizes(*pictures)
    if reason is not None:
        return reason
    normal, rgb = map(np.stack, pictures)
    masks, hull = soft_masks(rgb, normal, evaluate.images.colour_contrast), evaluate.hull
    field = occupancy(masks, np.array(config.azimuths), hull.resolution, hull.softness)
    return prepare_views(
        normal, rgb, masks >= hull.level, field, hull.level, starts, estimate, config
    )


def read_evidence(
    views: Path, estimates: Sequence[Path], config: CarveConfig
) -> tuple[list[Pictures], list[Start | None]]:
    """Pictures of all subjects, and the pose estimated for each.

    Raises
    ------
    UserError
        A file is faulty, or there are not as many estimates as subjects.
    """
    pictures = read_views(views, config.azimuths)
    found = [read_estimates(path) for path in estimates]
    if any(len(poses) != len(pictures) for poses in found):
        raise UserError(f"{estimates[0]}: {len(found[0])} poses for {len(pictures)} subjects")
    return pictures, found[0] if found else [None] * len(pictures)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--config", type=Path, required=True, help="carve.yaml")
    parser.add_argument("--evaluate", type=Path, required=True, help="evaluate.yaml: the masks")
    parser.add_argument("--body", type=Path, required=True, help="body model file or folder")
    parser.add_argument("--starts", type=Path, required=True, help="from make_starts.py")
    parser.add_argument(
        "--estimates", type=Path, nargs="*", default=[], help="from estimate_starts.py, if any"
    )
    parser.add_argument("--views", type=Path, required=True, help="npz or folder of pictures")
    parser.add_argument("--output", type=Path, required=True, help="meshes (.npz)")
    parser.add_argument("--glb", type=Path, required=True, help="folder of GLB files to write")
    arguments = parser.parse_args()

    config = load_config(arguments.config, CarveConfig)
    evaluate = load_config(arguments.evaluate, EvaluateConfig)
    make_deterministic(0, 1)  # the processes share the cores
    device = choose_device(config.device)
    body, starts = load_body(arguments.body), read_starts(arguments.starts)
    pictures, estimates = read_evidence(arguments.views, arguments.estimates, config)
    rows = even_rows(len(pictures), config.subjects)
    views = [look_at(pictures[row], estimates[row], starts, config, evaluate) for row in rows]
    work = partial(carve_subject, body=body, config=config, device=device)
    # A forked process cannot use the GPU of its parent.
    processes = config.processes if device.type == "cpu" else 1
    carved = tqdm(map_ordered(work, [views], processes), total=len(views), mininterval=10)
    subjects = dict(zip(rows, carved, strict=True))
    for row, subject in subjects.items():
        if isinstance(subject, str):
            print(f"subject {row} left out: {subject}", flush=True)
    write_carved(arguments.output, subjects)
    write_glb(arguments.glb, subjects)


if __name__ == "__main__":
    run(main)
