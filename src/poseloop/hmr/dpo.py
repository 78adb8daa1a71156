"""Preference objectives on denoising errors (fact sheet ADHMR 4 and 8).

All take errors (B,) of the policy and of the frozen reference on the same noisy tokens: winner and
loser of a pair share noise and timestep, and so do policy and reference, which run in the same
mode. At step 0 policy and reference agree, so every logit is exactly zero.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor


class PairErrors(NamedTuple):
    """Denoising errors (B,) of winner and loser under policy and reference."""

    winner: Tensor
    loser: Tensor
    reference_winner: Tensor
    reference_loser: Tensor

    def logits(self, beta: float | Tensor) -> Tensor:
        """-0.5 beta [(m_w - m_l) of the policy - (m_w - m_l) of the reference]."""
        policy = self.winner - self.loser
        return -0.5 * beta * (policy - (self.reference_winner - self.reference_loser))


def dpo_loss(errors: PairErrors, beta: float | Tensor) -> Tensor:
    """Diffusion-DPO: the mean of minus log-sigmoid (not minus log-sigmoid of the mean)."""
    return -F.logsigmoid(errors.logits(beta)).mean()


def kto_loss(errors: Tensor, reference: Tensor, wanted: Tensor, beta: float | Tensor) -> Tensor:
    """Diffusion-KTO on single hypotheses.

    Parameters
    ----------
    errors, reference : (B,)
    wanted : (B,) bool
        Winners; the others are losers.
    """
    gain = reference - errors
    centred = gain - gain.mean().clamp(min=0).detach()
    sign = torch.where(wanted, 1.0, -1.0)
    return (1 - torch.sigmoid(sign * beta * centred)).mean()


def group_loss(errors: Tensor, reference: Tensor, scores: Tensor, beta: float | Tensor) -> Tensor:
    """GPA: advantages (score less group mean, over its spread) times the change of the error.

    Arguments are (B, G); a group whose scores agree has no advantages.
    """
    centred = scores - scores.mean(1, keepdim=True)
    advantage = centred / scores.std(1, keepdim=True).clamp(min=1e-6)
    return (beta * advantage * (errors - reference)).mean()


def safeguard(loser: Tensor, winner_residual: Tensor, loser_residual: Tensor, mu: float) -> Tensor:
    """Diffusion-SDPO: the loser's error with its gradient scaled for the winner's not to rise.

    Parameters
    ----------
    loser : (B,)
    winner_residual, loser_residual : (B, D)
        Gradients of the errors in the space of the network's output, up to a common factor.
    """
    first, second = winner_residual.detach(), loser_residual.detach()
    overlap = (first * second).sum(1)
    scale = (1 - mu) * first.square().sum(1) / overlap.clamp(min=1e-12)
    scale = torch.where(overlap > 0, scale.clamp(0, 1), torch.ones_like(scale))
    fixed = loser.detach()
    return fixed + scale * (loser - fixed)


def matched_beta(reference_winner: Tensor, reference_loser: Tensor, spread: float) -> float:
    """Beta for which margins that move by their own spread give logits of that `spread`.

    Before training all logits are zero, so their spread cannot be measured; the spread of the
    reference's own margins over pairs and timesteps is the scale that is known.
    """
    margins = reference_winner - reference_loser
    return float(2 * spread / margins.std().clamp(min=1e-8))
