"""Drawing people's looks: skin, hair, garments and light."""

import colorsys
from dataclasses import replace

import numpy as np

from poseloop.render.appearance import PATTERNS, Appearance, Garment
from poseloop.render.mesh import Light

_SKIN = np.array(
    [
        [0.96, 0.82, 0.73],
        [0.91, 0.74, 0.62],
        [0.80, 0.60, 0.46],
        [0.62, 0.43, 0.31],
        [0.45, 0.30, 0.21],
        [0.30, 0.20, 0.15],
    ]
)
_HAIR = np.array(
    [
        [0.06, 0.05, 0.05],
        [0.20, 0.12, 0.07],
        [0.38, 0.23, 0.12],
        [0.62, 0.40, 0.18],
        [0.80, 0.66, 0.40],
        [0.55, 0.54, 0.53],
    ]
)


def sample_appearance(rng: np.random.Generator) -> Appearance:
    """Draw a person's look and light."""
    top_colours, bottom_colours = _two_colours(rng), _two_colours(rng)
    sleeves = [-1.0, rng.uniform(0.15, 0.5), rng.uniform(0.85, 1.0)]
    dress = rng.random() < 0.18
    skirt = rng.random() < 0.15
    waist = rng.uniform(0.60, 0.68)
    top = _sample_garment(
        rng,
        top_colours,
        upper=rng.uniform(0.95, 1.03),
        lower=rng.uniform(0.30, 0.48) if dress else waist - rng.uniform(0.02, 0.14),
        sleeve=rng.choice(sleeves, p=[0.1, 0.4, 0.5]),
        flare=rng.uniform(0.03, 0.08) if dress else rng.uniform(0.0, 0.02),
    )
    bottom = _sample_garment(
        rng,
        bottom_colours,
        upper=waist,
        lower=rng.choice([rng.uniform(-0.02, 0.06), rng.uniform(0.28, 0.42)], p=[0.7, 0.3]),
        sleeve=-1.0,
        flare=rng.choice([0.0, rng.uniform(0.01, 0.04)]),
    )
    if skirt:
        bottom = _as_skirt(rng, bottom)
    skin = _between(rng, _SKIN)
    return Appearance(
        skin=skin,
        hair=_between(rng, _HAIR) if rng.random() < 0.92 else _colour(rng),
        shoes=_colour(rng) * rng.uniform(0.3, 1.0),
        hairline=rng.uniform(-0.25, 0.1),
        hair_volume=rng.uniform(0.01, 0.04),
        hair_length=rng.choice([0.0, rng.uniform(0.05, 0.28)], p=[0.6, 0.4]),
        beard=bool(rng.random() < 0.15),
        top=top,
        bottom=bottom,
        emblem=_colour(rng) if rng.random() < 0.3 else None,
        folds=rng.uniform(0.0, 0.004),
        fold_waves=np.concatenate(
            [rng.normal(0.0, 35.0, (4, 3)), rng.uniform(0.0, 2.0 * np.pi, (4, 1))], axis=1
        ),
        light=sample_light(rng),
    )


def sample_light(rng: np.random.Generator) -> Light:
    """Draw a light from above, on the camera's side, of a warm to cool white."""
    angle = rng.uniform(-1.2, 1.2)
    direction = np.array([np.sin(angle), rng.uniform(0.2, 1.2), np.cos(angle)])
    warmth = rng.uniform(-0.06, 0.06)
    colour = rng.uniform(0.55, 0.75) * np.array([1.0 + warmth, 1.0, 1.0 - warmth])
    return Light(direction, colour, np.full(3, rng.uniform(0.4, 0.55)))


def _sample_garment(
    rng: np.random.Generator,
    colours: np.ndarray,
    upper: float,
    lower: float,
    sleeve: float,
    flare: float,
) -> Garment:
    return Garment(
        pattern=str(rng.choice(PATTERNS, p=[0.4, 0.2, 0.1, 0.1, 0.12, 0.08])),
        colours=colours,
        period=rng.uniform(0.14, 0.3),
        phase=rng.uniform(0.0, 2.0 * np.pi),
        thickness=rng.uniform(0.005, 0.022),
        flare=float(flare),
        upper=float(upper),
        lower=float(lower),
        sleeve=float(sleeve),
    )


def _as_skirt(rng: np.random.Generator, bottom: Garment) -> Garment:
    """The same cloth as a skirt: to the knees, flaring strongly."""
    return replace(bottom, flare=rng.uniform(0.05, 0.09), lower=rng.uniform(0.25, 0.42))


def _between(rng: np.random.Generator, palette: np.ndarray) -> np.ndarray:
    """A colour between two neighbours of a palette (n, 3)."""
    position = rng.uniform(0.0, len(palette) - 1.0)
    low = min(int(position), len(palette) - 2)
    return palette[low] + (palette[low + 1] - palette[low]) * (position - low)


def _colour(rng: np.random.Generator) -> np.ndarray:
    """A colour of cloth: any hue, often muted, sometimes nearly black or white."""
    hue, saturation, value = rng.random(), rng.beta(1.6, 1.6), rng.uniform(0.2, 1.0) ** 0.7
    return np.array(colorsys.hsv_to_rgb(hue, saturation, value))


def _two_colours(rng: np.random.Generator) -> np.ndarray:
    """Two colours (2, 3) that can be told apart."""
    first = _colour(rng)
    for _ in range(20):
        second = _colour(rng)
        if np.abs(second - first).max() > 0.35:
            break
    return np.stack([first, second])
