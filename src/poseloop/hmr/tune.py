"""Fine-tuning of the base by preferences: DPO, KTO, the group loss, and the rows they are held to.

The denoiser is tuned; the encoder stays the base's, so that pictures are encoded once and each
variant costs the same few seconds. (The paper tunes the encoder too, at a small rate.)
"""

import copy
from collections.abc import Callable, Mapping
from functools import partial

import torch
from torch import nn

from poseloop.hmr.denoiser import Denoiser, DiffusionHMR
from poseloop.hmr.objectives import Objective
from poseloop.hmr.tune_batch import Source, draw_batch
from poseloop.hmr.tune_config import TuneConfig, VariantConfig
from poseloop.multiview.fitting import Row, fit
from poseloop.runtime.checkpoints import Checkpoints
from poseloop.runtime.seeds import derive_seed, torch_rng


def finetune(
    base: DiffusionHMR,
    sources: Mapping[str, Source],
    config: TuneConfig,
    variant: VariantConfig,
    seed: int,
    validate: Callable[[DiffusionHMR], Row],
    checkpoints: Checkpoints,
) -> tuple[DiffusionHMR, list[Row]]:
    """Fine-tune a copy of the base's denoiser.

    Parameters
    ----------
    sources : by name, those of the variant among them
    validate : from a model to what to log

    Returns
    -------
    the base with the weight average of the tuned denoiser, and the log
    """
    if variant.fresh:
        torch.manual_seed(derive_seed(seed, "adhmr", "fresh"))
        denoiser = Denoiser(base.config, base.layout, base.encoder)
    else:
        denoiser = copy.deepcopy(base.denoiser)
    denoiser.requires_grad_(True)
    draw = partial(draw_batch, sources, variant.sources)
    probe = torch_rng(seed, "adhmr", "beta")
    objective = Objective(base, variant, config.hypotheses, draw, probe)

    def backward(step: int) -> Row:
        generator = torch_rng(seed, "adhmr", "step", step)
        loss, row = objective(denoiser, generator, step == 0)
        loss.backward()
        return {"loss": loss.item(), **row}

    average, rows = fit(
        denoiser,
        backward,
        config.steps,
        config.optimizer,
        config.ema_decay,
        checkpoints,
        lambda average: validate(with_denoiser(base, average, variant)),
        config.validate_every,
    )
    return with_denoiser(base, average, variant), rows


def with_denoiser(base: DiffusionHMR, denoiser: nn.Module, variant: VariantConfig) -> DiffusionHMR:
    """The base with another denoiser; a regressor answers in one step from zero noise."""
    tuned = copy.copy(base)
    tuned._modules = {**base._modules, "denoiser": denoiser}
    if variant.objective == "regression":
        once = base.config.diffusion.model_copy(update={"ddim_steps": 1})
        tuned.config = base.config.model_copy(update={"diffusion": once})
    return tuned
