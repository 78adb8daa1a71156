"""The loop: seek errors, render, filter, fine-tune, validate, and take the new estimator to task.

One run is one method, one estimator and one seed. Every round is a step of the run's checkpoint,
so a killed run resumes at the round it was in.
"""

import copy
from dataclasses import dataclass

import numpy as np
import torch

from poseloop.multiview.fitting import Row
from poseloop.posegen.candidates import turned
from poseloop.posegen.config_estimators import EstimatorConfig
from poseloop.posegen.estimator import Estimator
from poseloop.posegen.estimator_training import estimate_all, joint_errors
from poseloop.posegen.finetuning import blend, finetune, validation_error, with_weights
from poseloop.posegen.generator_training import Gan
from poseloop.posegen.imageset import ImageSet, concatenate
from poseloop.posegen.pictures import Stage, UsualPictures, make_pictures
from poseloop.runtime.checkpoints import Checkpoints
from poseloop.runtime.errors import UserError
from poseloop.runtime.seeds import torch_rng

# Ordinary pictures on which the unit of hardness is measured.
_REFERENCE = 600


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
    usual : UsualPictures
        Of the stage and the seed that they share.
    """

    base: Estimator
    entry: EstimatorConfig
    reference: float
    anchor: ImageSet
    usual: UsualPictures


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
    reference = ordinary_error(base, stage.anchor)
    return Start(base, entry, reference, anchor, UsualPictures(stage, seed))


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


def run_loop(method: str, start: Start, gan: Gan, checkpoints: Checkpoints) -> Outcome:
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
    stage, seed, base = start.usual.stage, start.usual.seed, start.base
    config = stage.config
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
        made = make_pictures(start.usual, method, estimator, gan, start.reference, number, row)
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
