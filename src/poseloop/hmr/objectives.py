"""One step of each objective: what the policy makes of noisy hypotheses, and the loss on it."""

from collections.abc import Callable

import torch
from diffusers import DDIMScheduler
from torch import Tensor, nn

from poseloop.hmr.denoiser import DiffusionHMR
from poseloop.hmr.diffusion import add_noise, error_weights, make_scheduler
from poseloop.hmr.dpo import (
    PairErrors,
    dpo_loss,
    group_loss,
    kto_loss,
    matched_beta,
    safeguard,
)
from poseloop.hmr.losses import DenoisingError
from poseloop.hmr.training import antithetic_timesteps
from poseloop.hmr.tune_batch import Batch
from poseloop.hmr.tune_config import BINS, VariantConfig
from poseloop.multiview.fitting import Row

DrawBatch = Callable[[int, int | None, torch.Generator], Batch]
"""Pictures, group size or None for pairs, and generator to a batch."""

Step = tuple[Tensor, Row]
"""Loss and what to log."""

_PROBES = 8
_ZERO = 1e-3


class Denoised:
    """A batch under noise; if `shared`, one draw of it serves all hypotheses of a picture."""

    def __init__(
        self,
        base: DiffusionHMR,
        scheduler: DDIMScheduler,
        batch: Batch,
        space: str,
        generator: torch.Generator,
        shared: bool = True,
    ) -> None:
        layout, settings = base.layout, base.config.diffusion
        pictures, group = batch.tokens.shape[:2]
        draws = 1 if shared else group
        timesteps = antithetic_timesteps((pictures, draws), settings, generator).to(base.device)
        noise = torch.randn((pictures, draws, *layout.mask.shape), generator=generator)
        noise = noise.to(base.device).expand(batch.tokens.shape).contiguous()
        self.timesteps = timesteps.expand(-1, group)
        self.noisy = add_noise(scheduler, batch.tokens, noise, self.timesteps, layout.mask)
        self.weight = error_weights(scheduler, self.timesteps, space)
        self.batch, self.error = batch, DenoisingError(layout, base.config.loss)
        with torch.no_grad():
            self.joints = self.error.joints_of(batch.tokens, batch.intrinsics)

    def by(self, policy: nn.Module) -> tuple[Tensor, Tensor]:
        """Predictions (B, G, T, C) of a policy and their weighted errors (B, G)."""
        return self._judged(policy(self.noisy, self.timesteps, self.batch))

    @torch.no_grad()
    def by_reference(self, denoiser: nn.Module) -> tuple[Tensor, Tensor]:
        """The same of the frozen reference's denoiser."""
        return self._judged(denoiser(self.noisy, self.timesteps, self.batch.features))

    def _judged(self, found: Tensor) -> tuple[Tensor, Tensor]:
        error = self.error(found, self.batch.tokens, self.joints, self.batch.intrinsics)
        return found, self.weight * error


class Objective:
    """The objective of a variant.

    The networks have no dropout, so policy and reference run in one mode whatever it is called.

    Parameters
    ----------
    base : DiffusionHMR
        Frozen; its denoiser is the reference.
    hypotheses : int
        That the policy denoises in a step.
    """

    def __init__(
        self,
        base: DiffusionHMR,
        variant: VariantConfig,
        hypotheses: int,
        draw: DrawBatch,
        generator: torch.Generator,
    ) -> None:
        self.base, self.variant, self.count, self.draw = base, variant, hypotheses, draw
        self.scheduler = make_scheduler(base.config.diffusion)
        self.beta = self._matched_beta(generator)

    def __call__(self, policy: nn.Module, generator: torch.Generator, first: bool) -> Step:
        """Loss and what to log; on the `first` step logits must be zero."""
        step = {
            "dpo": self._dpo,
            "kto": self._kto,
            "gpa": self._gpa,
            "sft": self._sft,
            "regression": self._regression,
        }[self.variant.objective]
        return step(policy, generator, first)

    def _noisy(self, batch: Batch, generator: torch.Generator, shared: bool = True) -> Denoised:
        space = self.variant.error_space
        return Denoised(self.base, self.scheduler, batch, space, generator, shared)

    def _pairs(self, generator: torch.Generator) -> Denoised:
        return self._noisy(self.draw(self.count // 2, None, generator), generator)

    def _winners(self, generator: torch.Generator, times: int) -> Denoised:
        batch = self.draw(self.count // 2, None, generator).winners(times)
        return self._noisy(batch, generator, shared=False)

    def _anchor(self, winner: Tensor, batch: Batch) -> Tensor:
        """Mean error of the winners (B,) of the sources that the anchor counts, weighted."""
        names = self.variant.sft_sources
        counted = [names is None or name in names for name in self.variant.sources]
        counted = torch.tensor(counted, device=winner.device)[batch.source]
        return self.variant.sft_weight * (winner * counted).mean()

    def _matched_beta(self, generator: torch.Generator) -> Tensor:
        """Beta of each source: the configured one, or each matched to that source's margins."""
        if self.variant.beta or self.variant.objective not in ("dpo", "kto", "gpa"):
            shape = (len(self.variant.sources),)
            return torch.full(shape, self.variant.beta or 1.0, device=self.base.device)
        probes = [self._pairs(generator) for _ in range(_PROBES)]
        errors = torch.cat([pairs.by_reference(self.base.denoiser)[1] for pairs in probes])
        source = torch.cat([pairs.batch.source for pairs in probes])
        betas = [
            matched_beta(*errors[source == place].unbind(1), self.variant.logit_spread)
            for place in range(len(self.variant.sources))
        ]
        return torch.tensor(betas, device=self.base.device)

    def _dpo(self, policy: nn.Module, generator: torch.Generator, first: bool) -> Step:
        pairs = self._pairs(generator)
        found, errors = pairs.by(policy)
        reference, reference_errors = pairs.by_reference(self.base.denoiser)
        winner, loser = errors.unbind(1)
        held = PairErrors(winner, loser, *reference_errors.unbind(1))
        beta = self.beta[pairs.batch.source]
        logits = held.logits(beta)
        if first and logits.abs().max() > _ZERO:
            raise AssertionError(f"policy and reference differ before training: {logits}")
        row = pair_log(held, logits, pairs.timesteps[:, 0], self.base)
        row["drift"] = (found - reference).square().mean().item()
        if self.variant.safeguard is not None:
            residual = (found - pairs.batch.tokens).flatten(2)
            loser = safeguard(loser, residual[:, 0], residual[:, 1], self.variant.safeguard)
            held = held._replace(loser=loser)
        return dpo_loss(held, beta) + self._anchor(winner, pairs.batch), row

    def _kto(self, policy: nn.Module, generator: torch.Generator, first: bool) -> Step:
        batch = self.draw(self.count // 2, None, generator)
        singles = self._noisy(batch, generator, shared=False)
        errors, reference = singles.by(policy)[1], singles.by_reference(self.base.denoiser)[1]
        wanted = torch.tensor([True, False], device=errors.device).expand(errors.shape)
        beta = self.beta[batch.source, None].expand(errors.shape)
        values = (value.flatten() for value in (errors, reference, wanted, beta))
        loss = kto_loss(*values)
        loss = loss + self._anchor(errors[:, 0], batch)
        gain = (reference - errors).detach()
        accuracy = torch.where(wanted, gain > 0, gain < 0).float().mean()
        return loss, {"implicit_accuracy": accuracy.item()}

    def _gpa(self, policy: nn.Module, generator: torch.Generator, first: bool) -> Step:
        group = self.variant.group
        batch = self.draw(self.count // group, group, generator)
        noisy = self._noisy(batch, generator)
        errors = noisy.by(policy)[1]
        reference = noisy.by_reference(self.base.denoiser)[1]
        beta = self.beta[batch.source, None]
        loss = group_loss(errors, reference, batch.scores, beta)
        best = errors.gather(1, batch.scores.argmax(1, keepdim=True))
        loss = loss + self._anchor(best[:, 0], batch)
        return loss, {"change": (errors - reference).mean().item()}

    def _sft(self, policy: nn.Module, generator: torch.Generator, first: bool) -> Step:
        return self._winners(generator, 2).by(policy)[1].mean(), {}

    def _regression(self, policy: nn.Module, generator: torch.Generator, first: bool) -> Step:
        singles = self._winners(generator, 1)
        singles.noisy = torch.zeros_like(singles.noisy)
        singles.timesteps = torch.full_like(
            singles.timesteps, self.base.config.diffusion.train_timesteps - 1
        )
        return singles.by(policy)[1].mean(), {}


def pair_log(errors: PairErrors, logits: Tensor, timesteps: Tensor, base: DiffusionHMR) -> Row:
    """Losses of winner and loser apart, implicit accuracy, and logits by bin of the timestep."""
    logits = logits.detach()
    row = {
        "winner": errors.winner.mean().item(),
        "loser": errors.loser.mean().item(),
        "winner_change": (errors.winner - errors.reference_winner).mean().item(),
        "loser_change": (errors.loser - errors.reference_loser).mean().item(),
        "implicit_accuracy": ((logits > 0).float() + 0.5 * (logits == 0)).mean().item(),
        "logit_spread": logits.std().item(),
    }
    bins = timesteps * BINS // base.config.diffusion.train_timesteps
    for index in range(BINS):
        inside = logits[bins == index]
        if len(inside):
            row[f"logit_bin{index}"] = inside.mean().item()
            row[f"accuracy_bin{index}"] = (inside > 0).float().mean().item()
    return row
