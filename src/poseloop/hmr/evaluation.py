"""Many hypotheses of each picture against the truth (fact sheet ADHMR 6.1).

`min` is an oracle: it knows the truth and takes the best of exactly M hypotheses, the first of
which has zero noise. `select`, `zero` and `mean` are answers that a user can have.
"""

import numpy as np
import torch
from scipy import stats
from torch import Tensor

from poseloop.hmr.dataset import bodies_of, encode_pictures
from poseloop.hmr.denoiser import DiffusionHMR
from poseloop.hmr.errors import body_errors
from poseloop.hmr.evaluation_config import MeasureConfig
from poseloop.hmr.geometry import mean_rotation, project
from poseloop.hmr.preferences import draw_hypotheses
from poseloop.hmr.scorer import Scorer, score_tokens
from poseloop.hmr.skeleton_body import COMMON_JOINTS, Bodies
from poseloop.hmr.store import Labels, Pictures

ERROR_NAMES = ("mpjpe", "pa_mpjpe", "pve")
_BATCH = 8

Table = dict[str, list[float]]


def average(bodies: Bodies) -> Bodies:
    """Mean body of M: (B, M, ...) to (B, 1, ...), rotations by their chordal mean."""
    rotations = mean_rotation(bodies.rotations, 1).unsqueeze(1)
    return Bodies(rotations, *(value.mean(1, keepdim=True) for value in bodies[1:]))


def take(bodies: Bodies, columns: Tensor) -> Bodies:
    """Bodies (B, k, ...) of hypotheses `columns` (B, k)."""
    rows = torch.arange(len(columns))[:, None]
    return Bodies(*(value[rows, columns] for value in bodies))


@torch.no_grad()
def measure(
    model: DiffusionHMR,
    scorer: Scorer,
    pictures: Pictures,
    labels: Labels,
    config: MeasureConfig,
    seed: int,
) -> Table:
    """Errors of every picture: a list of N values for each metric.

    Returns
    -------
    dict
        `<error>_min_<M>`, `<error>_select`, `<error>_zero`, `<error>_mean` in millimetres;
        `spread`, the deviation of a joint over the hypotheses, millimetres; `reproject`, the
        distance of the selected body's projected joints from the true ones, pixels; `calibration`,
        a list of one: the rank correlation over pictures of spread and error of the mean.
    """
    data, truth = encode_pictures(model.encoder, pictures), bodies_of(labels).to(model.device)
    count = config.counts[-1]
    tokens = draw_hypotheses(model, data, count, config.seed + seed, "evaluation")
    scores = score_tokens(scorer, model, pictures, tokens)
    pixels = pictures.image.shape[1] / 2
    table: dict[str, list[Tensor]] = {}
    for start in range(0, len(data), _BATCH):
        part = slice(start, start + _BATCH)
        intrinsics = data.intrinsics[part, None]
        found = model.layout.decode(tokens[part], intrinsics)
        true = Bodies(*(value[part] for value in truth))
        best = scores[part].topk(min(config.select, count), 1).indices
        answers = {"zero": Bodies(*(value[:, :1] for value in found))}
        answers |= {"select": average(take(found, best)), "mean": average(found)}
        each = body_errors(model.body, found, true, ERROR_NAMES)
        rows = {}
        for name, bodies in answers.items():
            errors = body_errors(model.body, bodies, true, ERROR_NAMES)
            rows |= {f"{error}_{name}": errors[error][:, 0] for error in ERROR_NAMES}
        for m in config.counts:
            rows |= {f"{error}_min_{m}": each[error][:, :m].amin(1) for error in ERROR_NAMES}
        joints = model.body.joints(found)[:, :, COMMON_JOINTS]
        rows["spread"] = 1000 * joints.var(1, correction=0).sum(-1).sqrt().mean(-1)
        places, wanted = (
            project(model.body.joints(bodies), bodies.camera, data.intrinsics[part])
            for bodies in (Bodies(*(value[:, 0] for value in answers["select"])), true)
        )
        rows["reproject"] = pixels * (places - wanted).norm(dim=-1).mean(-1)
        for name, values in rows.items():
            table.setdefault(name, []).append(values)
    joined = {name: torch.cat(parts).tolist() for name, parts in table.items()}
    if count == 1:
        return {name: joined[name] for name in joined if name.endswith(("_zero", "reproject"))}
    return joined | {"calibration": [calibration(joined["spread"], joined["mpjpe_mean"])]}


def calibration(spread: list[float], error: list[float]) -> float:
    """Rank correlation over pictures of the hypotheses' spread and their mean's error."""
    value = float(stats.spearmanr(spread, error).statistic)
    return value if np.isfinite(value) else 0.0
