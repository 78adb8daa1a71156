"""What is around a person in a picture: background, things and other people before them."""

from collections.abc import Sequence

import numpy as np

from poseloop.data.backdrop import compose
from poseloop.data.config import Backdrop

Cutout = tuple[np.ndarray, np.ndarray]
"""A person on white (S, S, 3) and their coverage (S, S), uint8."""


def surround(
    people: Sequence[Cutout],
    backdrop: Backdrop,
    crowd: float,
    rngs: Sequence[np.random.Generator],
) -> list[Cutout]:
    """Put every person before a background, as `data.backdrop.compose`, some beside another.

    Parameters
    ----------
    crowd : float
        Share of pictures into which another person walks: the one half of `people` away.
    rngs : as many generators as people

    Returns
    -------
    pictures (S, S, 3) and coverage (S, S) of what is visible of the person, uint8
    """
    shots = []
    for row, ((rgb, mask), rng) in enumerate(zip(people, rngs, strict=True)):
        if rng.random() < crowd:
            other = people[row - len(people) // 2]
            shots.append(_crowded(rgb, mask, *other, backdrop, rng))
        else:
            shots.append(compose(rgb, mask, backdrop, rng))
    return shots


def _crowded(
    rgb: np.ndarray,
    mask: np.ndarray,
    other_rgb: np.ndarray,
    other_mask: np.ndarray,
    backdrop: Backdrop,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """A second person beside the first, before or behind, by a shift of the other's picture."""
    size = len(mask)
    shift = int(rng.choice([-1, 1]) * rng.uniform(0.2, 0.45) * size)
    other_rgb, other_mask = (np.roll(a, shift, axis=1) for a in (other_rgb, other_mask))
    edge = slice(0, shift) if shift > 0 else slice(size + shift, size)
    other_rgb[:, edge], other_mask[:, edge] = 255, 0
    front = rng.random() < 0.5
    near, far = ((other_rgb, other_mask), (rgb, mask))[:: 1 if front else -1]
    alpha = near[1][..., None] / np.float32(255)
    both = near[0] * 1.0 - 255 * (1 - alpha) + far[0] * (1 - alpha)
    cover = np.maximum(near[1], far[1])
    visible = np.round(mask * (1 - other_mask / 255)) if front else mask
    picture, shown = compose(np.clip(both, 0, 255).round().astype(np.uint8), cover, backdrop, rng)
    hidden = np.divide(shown, cover, out=np.zeros(cover.shape), where=cover > 0)
    return picture, np.round(visible * hidden).astype(np.uint8)
