"""Recover the body in a picture of your own: hypotheses, scores, an overlay and a GLB.

    python scripts/recover.py photo.jpg --results results/demo --output recovered/

Writes hypotheses.npz (SMPL parameters and scores, best first), overlay.png (best, middle and worst
by score, front and side) and selected.glb (the best-scored body) into the output folder.
"""

import argparse
from pathlib import Path

import roma
import torch
import trimesh

from poseloop.body.model import load_body
from poseloop.hmr.denoiser import load_hmr
from poseloop.hmr.recover import crop_of_user, recover
from poseloop.hmr.scorer import load_scorer
from poseloop.hmr.skeleton_body import Bodies
from poseloop.report.figure_hmr_overlays import draw_overlays
from poseloop.report.overlays import overlay, posed_vertices, side_view
from poseloop.report.style import save
from poseloop.runtime.cli import run
from poseloop.runtime.errors import UserError
from poseloop.runtime.files import atomic_path, write_npz
from poseloop.runtime.seeds import make_deterministic

SIZE = 256


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("image", type=Path)
    parser.add_argument(
        "--results", type=Path, default=Path("results/demo"), help="of the workflow"
    )
    parser.add_argument("--model", type=Path, help="weights, if not the fine-tuned ones")
    parser.add_argument("--box", type=float, nargs=4, metavar=("X", "Y", "W", "H"), help="pixels")
    parser.add_argument("--focal", type=float, help="focal length, pixels")
    parser.add_argument("--hypotheses", type=int, default=100)
    parser.add_argument("--size", type=int, default=64, help="pixels, as the base was trained on")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, required=True, help="folder to write")
    arguments = parser.parse_args()

    if arguments.hypotheses < 3:
        raise UserError("--hypotheses: at least 3")
    make_deterministic(arguments.seed, 1)
    body = load_body(arguments.results / "body/smpl/SMPL_NEUTRAL.npz")
    folder = arguments.results / "adhmr"
    model = load_hmr(arguments.model or folder / "tuned/dpo/seed0.safetensors", body)
    scorer = load_scorer(folder / "scorer/model.safetensors", body)
    pictures = crop_of_user(arguments.image, arguments.box, arguments.focal, arguments.size)
    found = recover(
        model, scorer, pictures, arguments.hypotheses, arguments.seed, str(arguments.image)
    )
    pose = roma.rotmat_to_rotvec(found.bodies.rotations).flatten(1)
    write_npz(
        arguments.output / "hypotheses.npz",
        {
            "global_orient": pose[:, :3].numpy(),
            "body_pose": pose[:, 3:].numpy(),
            "betas": found.bodies.betas.numpy(),
            "camera": found.bodies.camera.numpy(),
            "intrinsics": pictures.intrinsics[0],
            "scores": found.scores.numpy(),
        },
    )
    intrinsics = torch.from_numpy(pictures.intrinsics[0])
    line = {}
    for name, row in (("best", 0), ("middle", len(pose) // 2), ("worst", len(pose) - 1)):
        one = Bodies(*(value[row : row + 1] for value in found.bodies))
        with torch.inference_mode():
            vertices = posed_vertices(body, one)[0]
            front = overlay(pictures.image[0], vertices, one.camera[0], intrinsics, body, SIZE)
        line[name] = front, side_view(vertices, body, SIZE), None
        if not row:
            with atomic_path(arguments.output / "selected.glb") as temporary:
                trimesh.Trimesh(vertices.numpy(), body.faces, process=False).export(temporary)
    save(
        draw_overlays([line], f"{arguments.image.name}, by score"),
        [arguments.output / "overlay.png"],
    )


if __name__ == "__main__":
    run(main)
