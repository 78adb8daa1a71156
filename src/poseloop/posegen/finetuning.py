"""Fine-tuning an estimator on new pictures with an anchor of ordinary ones."""

import copy

import torch
from torch import nn

from poseloop.multiview.fitting import Row, fit
from poseloop.posegen.config import FinetuneConfig
from poseloop.posegen.config_estimators import LossWeights
from poseloop.posegen.estimator import Estimator
from poseloop.posegen.estimator_training import (
    Labels,
    estimate_all,
    estimator_loss,
    jittered,
    joint_errors,
)
from poseloop.posegen.imageset import ImageSet, concatenate
from poseloop.posegen.skeleton import SurfaceBody
from poseloop.runtime.checkpoints import Checkpoints
from poseloop.runtime.seeds import torch_rng


def validation_error(estimator: Estimator, images: ImageSet) -> float:
    """MPJPE in millimetres on a picture set."""
    joints = estimate_all(estimator, images.rgb).joints
    return float(1000 * joint_errors(joints, torch.from_numpy(images.joints)).mean())


def with_weights(estimator: Estimator, state: dict[str, torch.Tensor]) -> Estimator:
    """A copy of an estimator with other weights, those of a `state_dict`."""
    other = copy.deepcopy(estimator)
    other.load_state_dict(state)
    return other


def blend(before: Estimator, after: Estimator, share: float) -> Estimator:
    """Weights between two estimators of one kind, `share` of the way from `before` to `after`."""
    state = after.state_dict()
    mixed = {
        name: torch.lerp(value, state[name], share) if value.is_floating_point() else state[name]
        for name, value in before.state_dict().items()
    }
    return with_weights(after, mixed)


def finetune(
    estimator: Estimator,
    fresh: ImageSet | None,
    anchor: ImageSet,
    validation: ImageSet,
    body: SurfaceBody,
    config: FinetuneConfig,
    steps: int,
    loss: LossWeights,
    colour_jitter: float,
    names: tuple[object, ...],
    checkpoints: Checkpoints,
) -> tuple[Estimator, list[Row]]:
    """Fine-tune a copy of `estimator`; returns its weight average and the log.

    Batch norms keep the statistics of ordinary pictures (fact sheet PoseGen 1.7).

    Parameters
    ----------
    fresh : ImageSet or None
        New pictures; None fine-tunes on the anchor alone, for as many steps.
    names : tuple
        Seed and names of the stream of batches.
    """
    tuned = copy.deepcopy(estimator).requires_grad_(True)
    labels = Labels(anchor if fresh is None else concatenate([anchor, fresh]), body)
    share = 1.0 if fresh is None else config.anchor_share
    of_anchor = round(share * config.batch_size)
    seed, *rest = names

    def backward(step: int) -> Row:
        tuned.eval()
        generator = torch_rng(seed, *rest, step)
        index = torch.randint(len(anchor), (of_anchor,), generator=generator)
        if fresh is not None:
            more = (config.batch_size - of_anchor,)
            new = torch.randint(len(anchor), len(labels), more, generator=generator)
            index = torch.cat([index, new])
        pictures = jittered(labels.rgb[index].to(body.device), colour_jitter, generator)
        total = estimator_loss(tuned(pictures), labels, index, loss)
        total.backward()
        return {"loss": float(total.detach())}

    def validate(average: nn.Module) -> Row:
        return {"validation_mpjpe": validation_error(average.eval(), validation)}

    average, rows = fit(
        tuned,
        backward,
        steps,
        config.optimizer,
        config.ema_decay,
        checkpoints,
        validate,
        config.validate_every,
    )
    return average.eval().requires_grad_(False), rows
