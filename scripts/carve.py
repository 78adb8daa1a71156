"""Carve a mesh from the six views of each subject: fitted body, remeshing, vertex colours.

Views are a samples or benchmark file (.npz), or a folder with one folder of pictures per subject
(normal_000.png, rgb_000.png and so on, see reconstruct/pictures.py). A subject that cannot be
carved is reported and left out of the GLB files.
"""

import argparse
from functools import partial
from pathlib import Path

from tqdm import tqdm

from poseloop.body.model import load_body
from poseloop.data.parallel import map_ordered
from poseloop.reconstruct.config import CarveConfig
from poseloop.reconstruct.pictures import read_views
from poseloop.reconstruct.starts import read_starts
from poseloop.reconstruct.store import write_carved, write_glb
from poseloop.reconstruct.subject import carve_subject, prepare_views
from poseloop.runtime.cli import run
from poseloop.runtime.config import load_config
from poseloop.runtime.device import choose_device
from poseloop.runtime.seeds import make_deterministic


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--config", type=Path, required=True, help="carve.yaml")
    parser.add_argument("--body", type=Path, required=True, help="body model file or folder")
    parser.add_argument("--starts", type=Path, required=True, help="from make_starts.py")
    parser.add_argument("--views", type=Path, required=True, help="npz or folder of pictures")
    parser.add_argument("--output", type=Path, required=True, help="meshes (.npz)")
    parser.add_argument("--glb", type=Path, required=True, help="folder of GLB files to write")
    arguments = parser.parse_args()

    config = load_config(arguments.config, CarveConfig)
    make_deterministic(0, 1)  # the processes share the cores
    device = choose_device(config.device)
    body, starts = load_body(arguments.body), read_starts(arguments.starts)
    views = [
        prepare_views(normal, rgb, starts, config)
        for normal, rgb in read_views(arguments.views, config.azimuths)
    ]
    work = partial(carve_subject, body=body, config=config, device=device)
    # A forked process cannot use the GPU of its parent.
    processes = config.processes if device.type == "cpu" else 1
    carved = list(tqdm(map_ordered(work, [views], processes), total=len(views), mininterval=10))
    for index, subject in enumerate(carved):
        if isinstance(subject, str):
            print(f"subject {index} left out: {subject}", flush=True)
    write_carved(arguments.output, carved)
    write_glb(arguments.glb, carved)


if __name__ == "__main__":
    run(main)
