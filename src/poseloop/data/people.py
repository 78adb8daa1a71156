"""Who is in a set: bodies and appearances from streams that belong to the set alone."""

import numpy as np

from poseloop.data.config import People
from poseloop.render.appearance import Appearance
from poseloop.render.wardrobe import sample_appearance
from poseloop.runtime.seeds import numpy_rng

_LARGEST_BETA = 2.0


def sample_bodies(
    people: People, count: int, components: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Shapes of `count` subjects.

    Every body is drawn from the stream (seed, people.stream, body), so a set with another stream
    shares no body with this one.

    Returns
    -------
    betas : (count, components) float32
    body_id : (count,) int32
        Which of the stream's bodies; each is used about equally often.
    """
    body_id = np.arange(count, dtype=np.int32) % people.bodies
    bodies = [
        numpy_rng(seed, "body", people.stream, body).normal(0.0, people.shape, components)
        for body in range(min(people.bodies, count))
    ]
    betas = np.clip(bodies, -_LARGEST_BETA, _LARGEST_BETA).astype(np.float32)
    return betas[body_id], body_id


def sample_appearances(people: People, count: int, seed: int) -> list[Appearance]:
    """Looks of `count` subjects, each from the stream (seed, people.stream, subject)."""
    return [
        sample_appearance(numpy_rng(seed, "appearance", people.stream, subject))
        for subject in range(count)
    ]
