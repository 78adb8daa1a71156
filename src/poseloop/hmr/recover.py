"""Bodies in a user's own picture."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from poseloop.hmr.annotations import LEAST_PIXELS, cut_pixels, open_picture
from poseloop.hmr.dataset import encode_pictures
from poseloop.hmr.denoiser import DiffusionHMR
from poseloop.hmr.preferences import draw_hypotheses
from poseloop.hmr.scorer import Scorer, check_bodies, score_tokens
from poseloop.hmr.skeleton_body import Bodies
from poseloop.hmr.store import Pictures
from poseloop.runtime.errors import UserError
from poseloop.runtime.refusing import refusing

LEAST_CONFIDENCE = 0.055
"""Mean heat at the peaks of the joints' maps below which a crop is taken to show nobody.

Measured on the demo's base with 48 pictures a set: 0.057 is the least of pictures of people and
0.11 the median of those out of domain; plain crops have 0.05. It is no detector: blurred clutter
without anybody has 0.08 and passes."""


@dataclass(frozen=True)
class Recovered:
    """Hypotheses of one person, best-scored first.

    pictures : Pictures
        The one crop.
    bodies : Bodies
        M of them, (M, 24, 3, 3), (M, B), (M, 3).
    scores : (M,)
    """

    pictures: Pictures
    bodies: Bodies
    scores: Tensor


def crop_of_user(
    path: str | Path, box: tuple[float, ...] | None, focal: float | None, size: int
) -> Pictures:
    """The square crop of a person in a picture.

    Parameters
    ----------
    box : x, y, width and height in pixels; the whole picture if None
    focal : focal length in pixels; the picture's diagonal, about 53 degrees across, if None
    size : int
        Pixels of the crop's side.

    Raises
    ------
    UserError
        The picture is unreadable or the box too small or outside.
    """
    path = Path(path)
    picture = open_picture(path.parent, path.name)
    height, width = picture.shape[:2]
    left, top, across, down = box or (0, 0, width, height)
    if min(across, down) < LEAST_PIXELS or min(height, width) < LEAST_PIXELS:
        raise UserError(f"{path}: a person of {across:.0f} x {down:.0f} pixels is too small")
    if left < 0 or top < 0 or left + across > width or top + down > height:
        raise UserError(f"{path}: --box reaches out of the picture of {width} x {height} pixels")
    middle, side = np.array([left + across / 2, top + down / 2]), max(across, down)
    centre = 2 * (np.array([width, height]) / 2 - middle) / side
    zoom = 2 * (focal or float(np.hypot(height, width))) / side
    with refusing(path, "cannot be cut out"):
        image = cut_pixels(picture, middle, side, size)
    return Pictures(image[None], np.array([[zoom, *centre]], np.float32))


@torch.no_grad()
def recover(
    model: DiffusionHMR, scorer: Scorer, pictures: Pictures, count: int, seed: int, what: str
) -> Recovered:
    """Hypotheses of the person in a crop, scored.

    Raises
    ------
    UserError
        No joint is detected clearly, or a hypothesis is not finite; `what` names the picture.
    """
    data = encode_pictures(model.encoder, pictures)
    confidence = float(data.features.confidence.exp().mean())
    if confidence < LEAST_CONFIDENCE:
        raise UserError(
            f"{what}: nobody found in the crop (joints seen with {confidence:.2f}, needs "
            f"{LEAST_CONFIDENCE}); name the person's box by --box"
        )
    tokens = draw_hypotheses(model, data, count, seed, "recover")
    check_bodies(model.layout.decode(tokens, data.intrinsics[:, None]), what)
    scores = score_tokens(scorer, model, pictures, tokens)[0]
    order = scores.argsort(descending=True)
    bodies = model.layout.decode(tokens[:, order], data.intrinsics[:, None])
    return Recovered(pictures, Bodies(*(value[0] for value in bodies)), scores[order])
