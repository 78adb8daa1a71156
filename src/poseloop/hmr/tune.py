"""Fine-tuning of the base by preferences: DPO, KTO, the group loss, and the rows they are held to.

As in the paper the encoder can be tuned with the denoiser: what a base gets wrong on pictures of
another kind is in good part what its encoder makes of them.
"""

import copy
from collections.abc import Callable, Mapping
from functools import partial

import torch
from torch import Tensor, nn

from poseloop.hmr.dataset import freeze
from poseloop.hmr.denoiser import Denoiser, DiffusionHMR
from poseloop.hmr.objectives import Objective
from poseloop.hmr.tune_batch import Batch, Source, draw_batch
from poseloop.hmr.tune_config import TuneConfig, VariantConfig
from poseloop.multiview.fitting import Row, fit
from poseloop.runtime.checkpoints import Checkpoints
from poseloop.runtime.seeds import derive_seed, torch_rng


class Policy(nn.Module):
    """What is tuned: a copy of the base's denoiser and, if `encoder`, of its encoder.

    Parameters
    ----------
    fresh : seed or None
        Of new weights for the denoiser.
    """

    def __init__(self, base: DiffusionHMR, encoder: bool, fresh: int | None) -> None:
        super().__init__()
        self.encoder = copy.deepcopy(base.encoder) if encoder else None
        if fresh is None:
            self.denoiser = copy.deepcopy(base.denoiser)
        else:
            torch.manual_seed(fresh)
            self.denoiser = Denoiser(base.config, base.layout, base.encoder).to(base.device)
        self.requires_grad_(True)

    def forward(self, noisy: Tensor, timesteps: Tensor, batch: Batch) -> Tensor:
        """Clean tokens (B, G, T, C) of noisy ones at timesteps (B, G)."""
        features = batch.features if self.encoder is None else self.encoder(batch.image)
        return self.denoiser(noisy, timesteps, features)

    def model(self, base: DiffusionHMR, variant: VariantConfig) -> DiffusionHMR:
        """The base with these weights; a regressor answers in one step from zero noise."""
        encoder = base.encoder if self.encoder is None else self.encoder
        tuned = base.with_parts(encoder=encoder, denoiser=self.denoiser)
        if variant.objective == "regression":
            once = base.config.diffusion.model_copy(update={"ddim_steps": 1})
            tuned.config = base.config.model_copy(update={"diffusion": once})
        return tuned


def finetune(
    base: DiffusionHMR,
    sources: Mapping[str, Source],
    config: TuneConfig,
    variant: VariantConfig,
    seed: int,
    validate: Callable[[DiffusionHMR], Row],
    checkpoints: Checkpoints,
) -> tuple[DiffusionHMR, list[Row]]:
    """Fine-tune a copy of the base.

    Parameters
    ----------
    sources : by name, those of the variant among them
    validate : from a model to what to log

    Returns
    -------
    the base with the weight average of what was tuned, and the log
    """
    fresh = derive_seed(seed, "adhmr", "fresh") if variant.fresh else None
    policy = Policy(base, config.tune_encoder, fresh)
    draw = partial(draw_batch, sources, variant.sources)
    probe = torch_rng(seed, "adhmr", "beta")
    objective = Objective(base, variant, config.hypotheses, draw, probe)

    def backward(step: int) -> Row:
        generator = torch_rng(seed, "adhmr", "step", step)
        loss, row = objective(policy, generator, step == 0)
        loss.backward()
        return {"loss": loss.item(), **row}

    average, rows = fit(
        policy,
        backward,
        config.steps,
        config.optimizer,
        config.ema_decay,
        checkpoints,
        lambda average: validate(average.model(base, variant)),
        config.validate_every,
    )
    return freeze(average).model(base, variant), rows
