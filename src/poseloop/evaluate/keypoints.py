"""An independent check of single pictures: are the joints where they were asked to be?

The network is the judge's, trained on the judge's scans by the judge's training, but on colours
alone: a generated frame has no normals. It shares no network, no person and no latent with the
image-animation model, and reads no body render.
"""

from collections.abc import Iterable

import numpy as np
import torch

from poseloop.evaluate.judge import Judge, judge_input
from poseloop.runtime.errors import UserError

_NO_NORMAL = 128
_REACH = 2


def colours_alone(scans: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The same scans with blank normal maps, as the judge's training takes them."""
    return scans | {"normal": np.full_like(scans["normal"], _NO_NORMAL)}


def leave_out_clips(
    scans: dict[str, np.ndarray], clip: np.ndarray, held_out: Iterable[str]
) -> dict[str, np.ndarray]:
    """The scans whose pose comes from none of the clips in `held_out`.

    Parameters
    ----------
    scans : dict
        Arrays (N, ...) and `azimuths`.
    clip : (N,) str
        Of the scans; a recombined pose names two clips, joined by a plus.

    Raises
    ------
    UserError
        Nothing is left.
    """
    held_out = set(held_out)
    kept = np.array([not held_out & set(name.split("+")) for name in clip.tolist()])
    if not kept.any():
        raise UserError("the keypoint check: no scan of the judge is left without held-out clips")
    return {name: a if name == "azimuths" else a[kept] for name, a in scans.items()}


@torch.no_grad()
def find_joints(network: Judge, rgb: np.ndarray, batch_size: int) -> np.ndarray:
    """Where the network sees each joint in single pictures.

    Parameters
    ----------
    network : Judge
        Trained on `colours_alone`.
    rgb : (N, S, S, 3) uint8
        On white.
    batch_size : int
        Pictures at once.

    Returns
    -------
    (N, 24, 2) float32
        x right, y up, in [-0.5, 0.5]: the centre of mass around the greatest heat.
    """
    found = []
    for start in range(0, len(rgb), batch_size):
        colours = rgb[start : start + batch_size, None]
        normals = np.full_like(colours, _NO_NORMAL)
        heat, _ = network(judge_input(colours, normals, np.zeros(1))[:, 0])
        found.append(_peaks(heat.exp()))
    return torch.cat(found).numpy()


def _peaks(heat: torch.Tensor) -> torch.Tensor:
    """(N, J, h, h) probabilities to (N, J, 2) places."""
    side = heat.shape[-1]
    best = heat.flatten(2).argmax(-1)
    steps = torch.arange(side)
    row_near = (steps - (best // side)[..., None]).abs() <= _REACH
    column_near = (steps - (best % side)[..., None]).abs() <= _REACH
    near = heat * row_near[..., :, None] * column_near[..., None, :]
    near = near / near.sum((-2, -1), keepdim=True)
    centres = (steps + 0.5) / side - 0.5
    return torch.stack([near.sum(-2) @ centres, -(near.sum(-1) @ centres)], -1)


def joint_errors(
    found: np.ndarray, asked: np.ndarray, window: np.ndarray, metres_per_unit: np.ndarray
) -> np.ndarray:
    """Mean distance (...) of a frame's joints from those asked for, in the picture plane, mm.

    Parameters
    ----------
    found, asked : (..., 24, 2) arrays
        As `find_joints` gives them and as `ClipSet.joints2d`.
    window, metres_per_unit : (..., 3), (...) arrays
        As in `ClipSet`; together they give the picture's scale at the body.
    """
    scale = 1000.0 * metres_per_unit / window[..., 2]
    return np.linalg.norm(found - asked, axis=-1).mean(-1) * scale


def calibrate(errors: np.ndarray, quantile: float) -> float:
    """The threshold in mm: a quantile of the errors of true renders."""
    return float(np.quantile(errors, quantile))
