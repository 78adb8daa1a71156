"""Turn animated glTF files, as Mixamo's FBX files become by a converter, into BVH files.

Blender opens FBX and writes glTF (`File > Export > glTF 2.0`), as does FBX2glTF.
"""

import argparse
from pathlib import Path

from poseloop.motion.bvh_writer import bvh_text
from poseloop.motion.gltf import read_gltf
from poseloop.runtime.cli import run
from poseloop.runtime.errors import UserError
from poseloop.runtime.files import write_text


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--motions", type=Path, required=True, help="folder of .glb and .gltf files"
    )
    parser.add_argument("--fps", type=float, default=30.0, help="frames a second to write")
    parser.add_argument("--animation", help="name of the animation; by default a file's first")
    parser.add_argument("--output", type=Path, required=True, help="folder of BVH files to write")
    arguments = parser.parse_args()
    if not 0 < arguments.fps <= 1000:
        raise UserError(f"--fps: {arguments.fps} is not above 0 and at most 1000")
    files = sorted(
        file for file in arguments.motions.glob("*") if file.suffix.lower() in (".glb", ".gltf")
    )
    if not files:
        raise UserError(f"{arguments.motions}: no motions (*.glb, *.gltf)")
    for file in files:
        motion = read_gltf(file, arguments.fps, arguments.animation)
        write_text(arguments.output / f"{file.stem}.bvh", bvh_text(motion))
    print(f"{len(files)} clips in {arguments.output}")


if __name__ == "__main__":
    run(main)
