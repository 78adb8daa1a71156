"""A folder of textured scans with fits, small enough for tests."""

import pickle
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from poseloop.body.model import BodyModel

SCALE, SHIFT = 2.0, (0.0, 1.0, 0.0)


def write_thuman(folder: Path, name: str, body: BodyModel, seed: int = 0, **changes) -> dict:
    """THuman2.1's layout; the scan is the body itself in a random pose. Returns the fit.

    `changes` take the place of the fit's values after the scan was made of them.
    """
    rng = np.random.default_rng(seed)
    fit = {
        "betas": rng.normal(0, 0.2, 10),
        "global_orient": np.array([0.0, rng.uniform(-3, 3), 0.0]),
        "body_pose": rng.normal(0, 0.1, 63),
        "left_hand_pose": np.zeros(12),
        "right_hand_pose": np.zeros(12),
        "jaw_pose": np.zeros(3),
        "expression": np.zeros(10),
        "scale": np.array([SCALE]),
        "translation": np.array(SHIFT),
    }
    fit = {key: np.float32(value)[None] for key, value in fit.items()}
    body_pose = np.concatenate([fit["body_pose"], np.zeros((1, 6), np.float32)], axis=1)
    with torch.inference_mode():
        posed = body(*map(torch.from_numpy, (fit["global_orient"], body_pose, fit["betas"])))
    vertices = posed.vertices[0].numpy() * SCALE + SHIFT
    lines = [f"v {x:.6f} {y:.6f} {z:.6f}" for x, y, z in vertices] + ["vt 0.5 0.5"]
    lines += [f"f {a + 1}/1 {b + 1}/1 {c + 1}/1" for a, b, c in body.faces]
    for part in ("model", "smplx"):
        (folder / part / name).mkdir(parents=True, exist_ok=True)
    (folder / "model" / name / f"{name}.obj").write_text("\n".join(lines) + "\n")
    Image.fromarray(np.full((4, 4, 3), (200, 40, 40), np.uint8)).save(
        folder / "model" / name / "material0.jpeg", quality=100
    )
    (folder / "smplx" / name / "smplx_param.pkl").write_bytes(pickle.dumps(fit | changes))
    return fit
