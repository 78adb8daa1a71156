"""Pictures in the wild: procedural backgrounds, occluders and exposure."""

from collections.abc import Sequence

import numpy as np
from scipy.ndimage import zoom

from poseloop.data.config import Backdrop


def compose(
    rgb: np.ndarray, mask: np.ndarray, backdrop: Backdrop, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Put a person in front of a background, perhaps behind an occluder, and change the exposure.

    Parameters
    ----------
    rgb : (S, S, 3) uint8
        The person composited on white.
    mask : (S, S) uint8
        The person's coverage.
    backdrop : Backdrop
        How often and how strongly each effect is drawn.
    rng : Generator

    Returns
    -------
    (S, S, 3) uint8 picture and (S, S) uint8 coverage of the part of the person that is visible.
    """
    alpha = mask[..., None].astype(np.float32) / 255.0
    gain = rng.uniform(*backdrop.brightness)
    person = (rgb.astype(np.float32) / 255.0 - (1.0 - alpha)) * gain
    scene = np.float32(1.0)  # white, whatever the exposure: what a matting step leaves
    if rng.random() < backdrop.background:
        scene = _background(len(mask), rng) * gain
    picture = person + (1.0 - alpha) * scene
    if rng.random() < backdrop.occluder:
        cover = _occluder(alpha[..., 0], backdrop.occluder_size, rng)[..., None]
        picture = picture * (1.0 - cover) + cover * _colour(rng) * gain
        alpha = alpha * (1.0 - cover)
    picture = np.clip(picture, 0.0, 1.0)
    return (
        np.round(picture * 255.0).astype(np.uint8),
        np.round(alpha[..., 0] * 255.0).astype(np.uint8),
    )


def _background(size: int, rng: np.random.Generator) -> np.ndarray:
    """A wall with uneven light, a floor and a few boxes: (S, S, 3) in [0, 1]."""
    rows = np.linspace(0.0, 1.0, size)[:, None, None]
    wall = _colour(rng)
    image = wall * (1.0 - rows) + (0.7 * wall + 0.3 * _colour(rng)) * rows
    image = np.repeat(image, size, axis=1)
    for _ in range(rng.integers(0, 6)):
        image[_box(size, 0.1, 0.5, rng)] = _colour(rng)
    floor = int(size * rng.uniform(0.7, 0.95))
    image[floor:] = 0.3 * image[floor:] + 0.7 * _colour(rng)
    for cells, strength in ((3, 0.08), (10, 0.04)):
        noise = rng.normal(size=(cells, cells, 1))
        image = image + strength * zoom(noise, (size / cells, size / cells, 1), order=1)
    return np.clip(image, 0.0, 1.0).astype(np.float32)


def _colour(rng: np.random.Generator) -> np.ndarray:
    """A colour (3,) of walls and things: most are muted."""
    grey = rng.uniform(0.1, 0.95)
    return np.clip(grey + rng.beta(1.0, 4.0) * rng.uniform(-1.0, 1.0, 3), 0.0, 1.0)


def _occluder(alpha: np.ndarray, share: Sequence[float], rng: np.random.Generator) -> np.ndarray:
    """Coverage (S, S), 0 or 1, of a box over a part of the person."""
    rows, columns = np.nonzero(alpha > 0.5)
    if len(rows) == 0:
        return np.zeros_like(alpha)
    centre = rng.integers(len(rows))
    height = np.ptp(rows) * rng.uniform(*share)
    width = max(np.ptp(columns), np.ptp(rows) / 3) * rng.uniform(*share)
    y, x = np.mgrid[: len(alpha), : len(alpha)]
    inside = np.abs(y - rows[centre]) <= height / 2
    inside &= np.abs(x - columns[centre]) <= width / 2
    return inside.astype(np.float32)


def _box(size: int, low: float, high: float, rng: np.random.Generator) -> tuple[slice, slice]:
    height, width = (rng.uniform(low, high, 2) * size).astype(int)
    top, left = rng.integers(0, size - height), rng.integers(0, size - width)
    return slice(top, top + height), slice(left, left + width)
