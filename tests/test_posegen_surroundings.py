"""A second person in a picture."""

import numpy as np

from poseloop.data.backdrop import compose
from poseloop.data.config import Backdrop
from poseloop.posegen.surroundings import surround

SIZE = 32


def person(colour: int) -> tuple[np.ndarray, np.ndarray]:
    rgb = np.full((SIZE, SIZE, 3), 255, np.uint8)
    mask = np.zeros((SIZE, SIZE), np.uint8)
    rgb[4:28, 10:22], mask[4:28, 10:22] = colour, 255
    return rgb, mask


def rngs(count: int) -> list[np.random.Generator]:
    return [np.random.default_rng(row) for row in range(count)]


BACKDROP = Backdrop(background=0.0, brightness=(1.0, 1.0))


def test_nobody_walks_in_without_a_crowd():
    people = [person(40), person(90), person(140), person(190)]
    pictures = surround(people, BACKDROP, 0.0, rngs(4))
    for (rgb, mask), (before, coverage), rng in zip(pictures, people, rngs(4), strict=True):
        rng.random()
        expected = compose(before, coverage, BACKDROP, rng)
        assert np.array_equal(rgb, expected[0])
        assert np.array_equal(mask, expected[1])


def test_the_other_is_half_the_list_away_and_hides_the_person_or_stands_behind():
    people = [person(40 + 5 * row) for row in range(32)]
    pictures = surround(people, BACKDROP, 1.0, rngs(32))
    hidden = 0
    for row, (rgb, mask) in enumerate(pictures):
        own, other = people[row][0][15, 15, 0], people[row - 16][0][15, 15, 0]
        shades = set(np.unique(rgb)) - {255}
        assert shades <= {own, other} and other in shades
        seen = mask > 127
        assert (rgb[seen] == own).all()
        hidden += seen.sum() < (people[row][1] > 127).sum()
    assert 4 < hidden < 28
