"""The loop: seek errors, render, filter, fine-tune, validate, and take the new estimator to task.

One run is one method, one estimator and one seed. Every round is a step of the run's checkpoint,
so a killed run resumes at the round it was in.
"""

import copy
import math
from dataclasses import dataclass

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
from poseloop.posegen.config import PosegenConfig
from poseloop.posegen.config_estimators import EstimatorConfig
from poseloop.posegen.estimator import Estimator
from poseloop.posegen.estimator_training import estimate_all, joint_errors
from poseloop.posegen.feedback import Probe
from poseloop.posegen.finetuning import blend, finetune, validation_error, with_weights
from poseloop.posegen.generator import Drawn, prior_poses
from poseloop.posegen.generator_training import Gan, seek_errors
from poseloop.posegen.imageset import ImageSet, concatenate
from poseloop.posegen.skeleton import SurfaceBody
from poseloop.posegen.synthesis import FieldStudio, MeshStudio
from poseloop.runtime.checkpoints import Checkpoints
from poseloop.runtime.errors import UserError
from poseloop.runtime.seeds import numpy_rng, torch_rng

_TURN_DEGREES = 60.0
# Ordinary pictures on which the unit of hardness is measured.
_REFERENCE = 600


@dataclass(frozen=True)
class Stage:
    """What all runs of a study share.

    prior : (N, 72) tensor
        Pose vectors of the motion prior.
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
    anchor: ImageSet
    validation: ImageSet
    check: Estimator
    studio: FieldStudio
    mesh: MeshStudio


@dataclass(frozen=True)
class Start:
    """What all methods of an estimator and a seed share.

    base : Estimator
        Trained on ordinary poses.
    entry : EstimatorConfig
        How it was trained.
    reference : float
        Its mean error on ordinary pictures, metres: the unit of hardness.
    anchor : ImageSet
        Ordinary pictures and their turned copies.
    """

    base: Estimator
    entry: EstimatorConfig
    reference: float
    anchor: ImageSet


def make_start(stage: Stage, base: Estimator, entry: EstimatorConfig, seed: int) -> Start:
    """Measure the base and turn the anchor.

    Raises
    ------
    UserError
        The estimator returns joints that are not finite.
    """
    turns = torch_rng(seed, "posegen", "anchor")
    copies = turned(stage.anchor, stage.config.finetune.anchor_turn, turns)
    anchor = concatenate([stage.anchor, copies])
    return Start(base, entry, ordinary_error(base, stage.anchor), anchor)


@dataclass(frozen=True)
class Outcome:
    """Result of a run.

    estimator : Estimator
        Of the round with the least validation error, blended with the estimator before.
    rows : list of dict
        One per round: validation error, hardness, fidelity, rejections by reason.
    examples : ImageSet or None
        Pictures of the last round.
    hardness : (R, n) array
        Hardness of the pictures made in each round, filter or no; empty without pictures.
    """

    estimator: Estimator
    rows: list[Row]
    examples: ImageSet | None
    hardness: np.ndarray


def run_loop(
    stage: Stage,
    method: str,
    start: Start,
    gan: Gan,
    seed: int,
    checkpoints: Checkpoints,
) -> Outcome:
    """Run all rounds of a method on one estimator.

    Parameters
    ----------
    gan : Gan
        Warmed up on the prior; a copy is trained.

    Raises
    ------
    UserError
        The filter leaves no picture.
    """
    config, base = stage.config, start.base
    gan = copy.deepcopy(gan)
    estimator, best = base, base
    rows: list[Row] = []
    hardness: list[torch.Tensor] = []
    fresh: list[ImageSet] = []
    state = checkpoints.restore()
    if state is not None:
        rows, hardness = state["rows"], state["hardness"]
        gan.load_state_dict(state["gan"])
        estimator, best = with_weights(base, state["estimator"]), with_weights(base, state["best"])
        fresh = [_unpacked(part) for part in state["fresh"]]
    rounds = 0 if config.methods[method].source == "none" else config.rounds
    for number in range(len(rows), rounds):
        row: Row = {"round": number + 1}
        made = make_pictures(stage, method, estimator, gan, start.reference, seed, number, row)
        if made is not None:
            kept, verdict = made
            turns = torch_rng(seed, "posegen", "turns", number)
            degrees = config.finetune.made_turn
            copies = [turned(kept, degrees, turns) for _ in range(config.finetune.made_copies)]
            fresh.append(concatenate([kept, *copies]))
            if verdict is not None:
                hardness.append(torch.from_numpy(verdict.hardness))
        inner = Checkpoints(f"{checkpoints.folder.name}/round{number}", checkpoints.every * 10**6)
        estimator, log = finetune(
            estimator,
            concatenate(fresh) if fresh else None,
            start.anchor,
            stage.validation,
            stage.body,
            config.finetune,
            config.finetune.steps[number],
            start.entry.loss,
            config.colour_jitter,
            (seed, "posegen", "finetune", number),
            inner,
        )
        row["validation_mpjpe"] = log[-1]["validation_mpjpe"]
        if not rows or row["validation_mpjpe"] < min(r["validation_mpjpe"] for r in rows):
            best = estimator
        rows.append(row)
        state = {
            "rows": rows,
            "hardness": hardness,
            "gan": gan.state_dict(),
            "estimator": estimator.state_dict(),
            "best": best.state_dict(),
            "fresh": [_packed(part) for part in fresh],
        }
        checkpoints.save(number + 1, state.copy)
    if not rows:
        rows = [{"round": 0, "validation_mpjpe": validation_error(base, stage.validation)}]
    shown = torch.stack(hardness).numpy() if hardness else np.zeros((0, 0))
    examples = fresh[-1][: len(fresh[-1]) // (1 + config.finetune.made_copies)] if fresh else None
    return Outcome(blend(base, best, config.finetune.blend), rows, examples, shown)


def ordinary_error(estimator: Estimator, images: ImageSet) -> float:
    """Mean error, metres, on ordinary pictures: the unit of hardness.

    Raises
    ------
    UserError
        It is not finite.
    """
    some = images[:_REFERENCE]
    joints = estimate_all(estimator, some.rgb).joints
    error = float(joint_errors(joints, torch.from_numpy(some.joints)).mean())
    if not np.isfinite(error):
        raise UserError("the estimator returns joints that are not finite")
    return error


def make_pictures(
    stage: Stage,
    method: str,
    estimator: Estimator,
    gan: Gan,
    reference: float,
    seed: int,
    number: int,
    row: Row,
) -> tuple[ImageSet, Verdict | None] | None:
    """Pictures of one round of a method; what there is to log goes into `row`.

    Returns
    -------
    the pictures and the filter's verdict on all that were rendered; None for no pictures
    """
    config = stage.config
    entry = config.methods[method]
    generator = torch_rng(seed, "posegen", "pictures", entry.source, number)
    if entry.source == "anchor":
        return None
    if entry.source == "augment":
        rows = torch.randint(len(stage.anchor), (config.pictures,), generator=generator).numpy()
        return turned(stage.anchor[rows], _TURN_DEGREES, generator), None
    surplus = config.mined if entry.source == "mine" else config.filter.surplus
    wanted = math.ceil(config.pictures * surplus / config.prints)
    if entry.source in ("prior", "mine"):
        drawn = prior_poses(stage.prior, config.generator, wanted, generator)
    elif entry.source == "scattered":
        drawn = scattered_poses(stage.prior, gan.bounds, wanted, generator)
    elif entry.source == "limits":
        drawn = limit_poses(gan.bounds, wanted, generator)
    else:
        probe = Probe(
            stage.studio.field,
            stage.studio.rest_joints,
            estimator,
            config.feedback.size,
            stage.studio.size,
        )
        log = seek_errors(config, method, gan, stage.prior, probe, reference, seed, number)
        row |= {name: value for name, value in log[-1].items() if name != "step"}
        own = round(wanted * config.generator.own_share)
        sought = gan.sample(own, config.generator.noise, generator)
        usual = prior_poses(stage.prior, config.generator, wanted - own, generator)
        order = torch.randperm(wanted, generator=generator)
        drawn = sought.joined(usual).of(order)
    images = render(stage, entry.renderer, drawn, generator, (seed, entry.source, number))
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
    kept = kept[: config.pictures]
    if len(kept) == 0:
        raise UserError(
            f"{method}, round {number + 1}: the filter leaves no picture ({verdict.reasons}); "
            "lower filter.fidelity or raise filter.hardness in posegen.yaml"
        )
    row |= {"kept": len(kept), "kept_hardness": float(verdict.hardness[kept].mean())}
    return images[kept], verdict


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


def _packed(images: ImageSet) -> dict:
    """A picture set as a checkpoint holds it: tensors, and text as a list."""
    return {
        name: value.tolist() if value.dtype.kind == "U" else torch.from_numpy(value)
        for name, value in vars(images).items()
    }


def _unpacked(state: dict) -> ImageSet:
    return ImageSet(
        **{
            name: np.array(value) if isinstance(value, list) else value.numpy()
            for name, value in state.items()
        }
    )
