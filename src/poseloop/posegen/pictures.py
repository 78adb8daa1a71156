"""The pictures that a method fine-tunes on in one round: poses found, rendered, filtered."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np
import torch

from poseloop.multiview.fitting import Row
from poseloop.posegen.candidates import (
    Verdict,
    judge_pairs,
    limit_poses,
    mirrored,
    scattered_poses,
    turned,
)
from poseloop.posegen.config import MethodConfig, PosegenConfig, Usual
from poseloop.posegen.estimator import Estimator
from poseloop.posegen.estimator_training import estimate_all
from poseloop.posegen.feedback import Probe
from poseloop.posegen.generator import Bounds, Drawn, prior_poses
from poseloop.posegen.generator_training import Gan, choose_hard, seek_errors
from poseloop.posegen.imageset import ImageSet, concatenate
from poseloop.posegen.skeleton import SurfaceBody
from poseloop.posegen.synthesis import FieldStudio, MeshStudio
from poseloop.runtime.errors import UserError
from poseloop.runtime.seeds import numpy_rng, torch_rng

_TURN_DEGREES = 60.0

Shots = tuple[Drawn, ImageSet]
"""Poses, and `config.prints` pictures of each, one after another."""


@dataclass(frozen=True)
class Stage:
    """What all runs of a study share.

    prior : (N, 72) tensor
        Pose vectors of the motion prior.
    bounds : Bounds
        What generators start from.
    anchor, validation : ImageSet
        Ordinary training pictures; pictures by which rounds are chosen.
    check : Estimator
        The independent keypoint check.
    studio : FieldStudio
    mesh : MeshStudio
        The same people without the NeRF.
    """

    config: PosegenConfig
    body: SurfaceBody
    prior: torch.Tensor
    bounds: Bounds
    anchor: ImageSet
    validation: ImageSet
    check: Estimator
    studio: FieldStudio
    mesh: MeshStudio


class UsualPictures:
    """Pictures of random poses: one set of a kind for all methods of a seed that use some.

    Of the prior, or of what a generator starts from. So methods are compared on the same ones, and
    none is rendered twice.

    Parameters
    ----------
    stage : Stage
    seed : int
    """

    def __init__(self, stage: Stage, seed: int) -> None:
        self.stage = stage
        self.seed = seed
        self._pieces: dict[tuple[str, str, int, int], Shots] = {}

    def take(self, kind: Usual, renderer: str, number: int, poses: int) -> Shots:
        """The first `poses` poses of a round."""
        config = self.stage.config
        size = config.poses_for(config.filter.surplus)
        pieces = [
            self._piece((kind, renderer, number, index), size) for index in range(-(-poses // size))
        ]
        drawn, images = _joined(pieces)
        return drawn.of(torch.arange(poses)), images[: poses * config.prints]

    def _piece(self, key: tuple[Usual, str, int, int], size: int) -> Shots:
        if key not in self._pieces:
            kind, renderer, *place = key
            stage, names = self.stage, (kind, *place)
            generator = torch_rng(self.seed, "posegen", "pictures", *names)
            if kind == "starts":
                drawn = stage.bounds.draw_starts(size, generator)
            else:
                drawn = prior_poses(stage.prior, stage.config.generator, size, generator)
            images = render(stage, renderer, drawn, generator, (self.seed, *names))
            self._pieces[key] = drawn, images
        return self._pieces[key]


def make_pictures(
    usual: UsualPictures,
    method: str,
    estimator: Estimator,
    gan: Gan,
    reference: float,
    number: int,
    row: Row,
) -> tuple[ImageSet, Verdict | None] | None:
    """Pictures of one round of a method; what there is to log goes into `row`.

    Returns
    -------
    the pictures and the filter's verdict on all that were rendered; None for no pictures
    """
    stage, config = usual.stage, usual.stage.config
    entry = config.methods[method]
    generator = torch_rng(usual.seed, "posegen", "pictures", entry.source, number)
    if entry.source == "anchor":
        return None
    if entry.source == "augment":
        rows = torch.randint(len(stage.anchor), (config.pictures,), generator=generator).numpy()
        return turned(stage.anchor[rows], _TURN_DEGREES, generator), None
    studio = stage.studio
    size = config.feedback.size
    probe = Probe(studio.field, studio.rest_joints, estimator, reference, size, studio.size)
    if entry.source == "generator":
        log = seek_errors(config, method, gan, probe, usual.seed, number)
        row |= {name: value for name, value in log[-1].items() if name != "step"}
    own = _own_poses(stage, entry, gan, probe, generator)
    drawn, images = _shoot(usual, entry, own, number, generator)
    verdict = judge_pairs(
        images,
        gan.bounds.contains(drawn).cpu().numpy().repeat(config.prints),
        lambda rgb: estimate_all(estimator, rgb).joints,
        stage.check,
        config.filter,
        reference,
        entry.capped,
    )
    row |= {f"rejected_{reason}": count for reason, count in verdict.reasons.items()}
    row |= {"rendered": len(images), "rendered_hardness": float(verdict.hardness.mean())}
    row["fidelity"] = float(verdict.fidelity.mean())
    kept = np.flatnonzero(verdict.kept)
    if entry.source == "mine":
        kept = kept[np.argsort(-verdict.hardness[kept], kind="stable")]
    elif entry.source == "generator":
        kept = kept[torch.randperm(len(kept), generator=generator).numpy()]
    kept = kept[: config.pictures]
    if len(kept) == 0:
        raise UserError(
            f"{method}, round {number + 1}: the filter leaves no picture ({verdict.reasons}); "
            "lower filter.fidelity or raise filter.hardness in posegen.yaml"
        )
    row |= {"kept": len(kept), "kept_hardness": float(verdict.hardness[kept].mean())}
    return images[kept], verdict


def _own_poses(
    stage: Stage, entry: MethodConfig, gan: Gan, probe: Probe, generator: torch.Generator
) -> Drawn | None:
    """The poses of a round that a method does not share with others."""
    config = stage.config
    _, count = config.poses_of(entry)
    if not count:
        return None
    if entry.source == "scattered":
        return scattered_poses(stage.prior, gan.bounds, count, generator)
    if entry.source == "limits":
        return limit_poses(gan.bounds, count, generator)
    if entry.screened:
        return choose_hard(config, gan, probe, entry.capped, count, generator)
    return gan.sample(count, config.generator.noise, generator)


def _shoot(
    usual: UsualPictures,
    entry: MethodConfig,
    own: Drawn | None,
    number: int,
    generator: torch.Generator,
) -> Shots:
    """Pictures of a method's own poses, then those that it shares with others."""
    poses, count = usual.stage.config.poses_of(entry)
    shots = []
    if own is not None:
        names = usual.seed, entry.source, number
        shots.append((own, render(usual.stage, entry.renderer, own, generator, names)))
    if count < poses:
        shots.append(usual.take(entry.usual, entry.renderer, number, poses - count))
    return _joined(shots)


def _joined(parts: Sequence[Shots]) -> Shots:
    drawn, images = zip(*parts, strict=True)
    return reduce(Drawn.joined, drawn), concatenate(images)


def render(
    stage: Stage,
    renderer: str,
    drawn: Drawn,
    generator: torch.Generator,
    names: tuple[object, ...],
) -> ImageSet:
    """`config.prints` pictures of every pose, of subjects drawn at random, side by side.

    Every second picture of a pose is mirrored.
    """
    studio = stage.studio if renderer == "nerf" else stage.mesh
    count, prints = len(drawn.pose), stage.config.prints
    subject = torch.randint(len(stage.studio.betas), (count,), generator=generator)
    seed, *rest = names
    rngs = [numpy_rng(seed, "posegen", "picture", *rest, index) for index in range(count * prints)]
    images = studio.shoot(drawn, subject, rngs)
    places = np.arange(len(images))
    turn = places % prints % 2
    return concatenate([images, mirrored(images)])[places + turn * len(images)]
