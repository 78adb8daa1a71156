"""Clothed people: skin, hair, garments with patterns and thickness, and light.

Everything is evaluated in the T-pose coordinates of the atlas, so a stripe stays on its sleeve in
every pose. Garments move the surface along its normals: clothing is geometry as well as paint.
"""

from dataclasses import dataclass

import numpy as np

from poseloop.render.atlas import BodyAtlas
from poseloop.render.mesh import Light

PATTERNS = ("plain", "stripes", "pinstripes", "checks", "two_tone", "dots")

_SHOE = 0.008


@dataclass(frozen=True)
class Garment:
    """Cloth on the trunk, arms or legs.

    pattern : str
        One of `PATTERNS`.
    colours : (2, 3) array
    period : float
        Of the pattern, metres.
    phase : float
        Of the pattern, radians.
    thickness : float
        Distance from the skin, metres.
    flare : float
        Further distance gained towards the hem, metres.
    upper, lower : float
        Heights of its edges in the atlas (0 ankle, 1 neck).
    sleeve : float
        End of the sleeves along the arm (0 shoulder, 1 wrist); negative leaves the arms bare.
    """

    pattern: str
    colours: np.ndarray
    period: float
    phase: float
    thickness: float
    flare: float
    upper: float
    lower: float
    sleeve: float


@dataclass(frozen=True)
class Appearance:
    """One person's look and light.

    skin, hair, shoes : (3,) arrays
        Colours in [0, 1].
    hairline : float
        Larger means less hair.
    hair_volume : float
        Metres.
    hair_length : float
        How far hair falls below the neck, in units of the ankle-to-neck height.
    beard : bool
    top, bottom : Garment
    emblem : (3,) array or None
        Colour of a print on the chest.
    folds : float
        Amplitude of the cloth's folds, metres.
    fold_waves : (4, 4) array
        Wave vectors (radians per metre) and phases of the folds.
    light : Light
    """

    skin: np.ndarray
    hair: np.ndarray
    shoes: np.ndarray
    hairline: float
    hair_volume: float
    hair_length: float
    beard: bool
    top: Garment
    bottom: Garment
    emblem: np.ndarray | None
    folds: float
    fold_waves: np.ndarray
    light: Light


def paint(appearance: Appearance, atlas: BodyAtlas) -> np.ndarray:
    """Colours (n, 3) in [0, 1] of a clothed body, before light."""
    colours = np.tile(appearance.skin.astype(np.float32), (len(atlas.values), 1))
    _paint_face(appearance, atlas, colours)
    colours[_shoes(atlas)] = appearance.shoes
    for garment in (appearance.bottom, appearance.top):
        worn, _ = _coverage(garment, atlas)
        colours[worn] = _pattern(garment, BodyAtlas(atlas.values[worn], atlas.hip))
    if appearance.emblem is not None:
        colours[_emblem(appearance.top, atlas)] = appearance.emblem
    skull, fall = _hair(appearance, atlas)
    colours[skull | fall] = appearance.hair
    return colours


def offsets(appearance: Appearance, atlas: BodyAtlas) -> np.ndarray:
    """Distance (n,) in metres of clothes and hair from the skin, along its normals."""
    distance = np.zeros(len(atlas.values), np.float32)
    distance[_shoes(atlas)] = _SHOE
    folds = _folds(appearance, atlas.position)
    for garment in (appearance.bottom, appearance.top):
        worn, drop = _coverage(garment, atlas)
        cloth = garment.thickness + garment.flare * drop + folds
        distance[worn] = np.maximum(distance, cloth)[worn]
    skull, fall = _hair(appearance, atlas)
    distance[skull] = appearance.hair_volume
    distance[fall] += appearance.hair_volume
    return distance


def _shoes(atlas: BodyAtlas) -> np.ndarray:
    """Points (n,) under shoes."""
    return atlas.foot | (atlas.leg & (atlas.height < 0.03))


def _coverage(garment: Garment, atlas: BodyAtlas) -> tuple[np.ndarray, np.ndarray]:
    """Points under a garment (n,) and how far down it each is, 0 to 1 (n,)."""
    trunk = (atlas.torso | atlas.leg) & ~atlas.foot
    trunk = trunk & (atlas.height < garment.upper) & (atlas.height > garment.lower)
    sleeves = atlas.arm & (atlas.reach < garment.sleeve)
    # The flare starts at the hips: above them a garment follows the body.
    start = min(garment.upper, atlas.hip)
    drop = np.clip((start - atlas.height) / max(start - garment.lower, 0.05), 0.0, 1.0)
    return trunk | sleeves, np.where(trunk, drop, 0.0)


def _pattern(garment: Garment, atlas: BodyAtlas) -> np.ndarray:
    """Colour (n, 3) of a garment's cloth at every point."""
    # Along and around a limb: arms lie along x in the T-pose, trunk and legs along y.
    along = np.where(atlas.arm, np.abs(atlas.position[:, 0]), atlas.position[:, 1])
    around = np.where(atlas.arm, atlas.position[:, 1], atlas.position[:, 0])
    turn = 2.0 * np.pi / garment.period
    along, around = np.sin(along * turn + garment.phase), np.sin(around * turn)
    second = {
        "plain": np.zeros_like(along),
        "stripes": _soft_step(along),
        "pinstripes": _soft_step(around),
        "checks": _soft_step(along * around * 2.0),
        "dots": _soft_step(along + around - 0.8),
        "two_tone": _soft_step((atlas.height - 0.5 * (garment.upper + garment.lower)) * 10.0),
    }[garment.pattern]
    return garment.colours[0] + (garment.colours[1] - garment.colours[0]) * second[:, None]


def _emblem(top: Garment, atlas: BodyAtlas) -> np.ndarray:
    """Points (n,) of a print on the chest."""
    height, width = atlas.height, np.abs(atlas.position[:, 0])
    chest = atlas.torso & (height > 0.78) & (height < min(0.92, top.upper)) & (width < 0.09)
    return chest & (atlas.position[:, 2] > 0.0)


def _hair(appearance: Appearance, atlas: BodyAtlas) -> tuple[np.ndarray, np.ndarray]:
    """Points (n,) under hair: on the skull, and on neck and back for long hair."""
    _, y, z = atlas.in_head.T
    skull = atlas.head & (0.75 * y - 0.9 * z > appearance.hairline)
    if appearance.hair_length == 0.0:
        return skull, np.zeros_like(skull)
    back = atlas.torso & (atlas.position[:, 2] < 0.0) & (np.abs(atlas.position[:, 0]) < 0.11)
    return skull, back & (atlas.height > 1.02 - appearance.hair_length)


def _paint_face(appearance: Appearance, atlas: BodyAtlas, colours: np.ndarray) -> None:
    """Darken eyes, redden the mouth and paint a beard on colours (n, 3), in place."""
    x, y, z = atlas.in_head.T
    face = atlas.head & (z > 0.2)
    if appearance.beard:
        colours[face & (y < -0.35)] = appearance.hair
    eyes = face & (np.hypot(np.abs(x) - 0.4, y - 0.1) < 0.15)
    colours[eyes] = 0.35 * appearance.skin
    mouth = face & (np.hypot(x / 2.0, y + 0.5) < 0.13)
    colours[mouth] = appearance.skin * [0.85, 0.5, 0.5]


def _folds(appearance: Appearance, position: np.ndarray) -> np.ndarray:
    """Displacement (n,) of the cloth's folds in metres, between 0 and twice the amplitude."""
    waves = np.sin(position @ appearance.fold_waves[:, :3].T + appearance.fold_waves[:, 3])
    return appearance.folds * (1.0 + waves.mean(axis=1))


def _soft_step(value: np.ndarray) -> np.ndarray:
    """0 to 1 around zero, with an edge soft enough for a small picture."""
    return np.clip(value * 4.0 + 0.5, 0.0, 1.0)
