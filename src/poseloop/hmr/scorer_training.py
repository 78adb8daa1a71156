"""Training of HMR-Scorer on ranked candidates."""

import torch
from torch import nn

from poseloop.body.model import BodyModel
from poseloop.hmr.candidates import Candidates
from poseloop.hmr.dataset import bodies_of, encode_pictures
from poseloop.hmr.denoiser import DiffusionHMR
from poseloop.hmr.losses import DenoisingError
from poseloop.hmr.ranking import ranked_pairs, ranknet, regret, within_pictures
from poseloop.hmr.scorer import Scorer, score_tokens
from poseloop.hmr.scorer_config import ERRORS, ScorerConfig
from poseloop.hmr.store import Labels, Pictures
from poseloop.multiview.fitting import Row, fit
from poseloop.runtime.checkpoints import Checkpoints
from poseloop.runtime.seeds import derive_seed, torch_rng


def train_scorer(
    config: ScorerConfig,
    base: DiffusionHMR,
    body: BodyModel,
    data: tuple[Pictures, Labels, Candidates],
    validation: tuple[Pictures, Candidates],
    checkpoints: Checkpoints,
) -> tuple[Scorer, list[Row]]:
    """Train the scorer, whose encoder is the base's and whose answer starts as the base's.

    Returns its weight average and the log.

    The log holds the terms of the loss at every step and, at validations, `within_srcc` and
    `regret_mm` by MPJPE among the base's samples for held-out pictures.
    """
    torch.manual_seed(derive_seed(config.seed, "scorer", "weights"))
    scorer = Scorer(config, base.config, body)
    scorer.own.load_state_dict(base.state_dict())
    scorer = scorer.to(base.device)
    scorer.requires_grad_(True)
    scorer.encoder.requires_grad_(False)
    pictures, labels, candidates = data
    encoded = encode_pictures(scorer.encoder, pictures)
    truth, intrinsics = bodies_of(labels).to(base.device), encoded.intrinsics
    joints = base.body.joints(truth)
    ranking, made = config.ranking, config.candidates
    pairs = ranked_pairs(made.samples, len(made.noise_levels), ranking)
    tokens = base.layout.encode(truth, intrinsics)
    error = DenoisingError(base.layout, base.config.loss)

    def backward(step: int) -> Row:
        generator = torch_rng(config.seed, "scorer", "step", step)
        rows = torch.randint(len(intrinsics), (config.batch_size,), generator=generator)
        context = scorer.behold(encoded.features.of(rows), intrinsics[rows])
        ranked_tokens = candidates.tokens[rows].to(base.device)
        bodies = base.layout.decode(ranked_tokens, intrinsics[rows, None])
        scores = scorer(context, bodies, intrinsics[rows])
        errors = candidates.errors[rows].to(base.device)
        ranked = ranknet(scores, errors, pairs, ranking)
        target, wanted = tokens[rows, None], joints[rows, None]
        wrong = error(context.answer, target, wanted, intrinsics[rows]).mean()
        loss = ranked + ranking.answer_weight * wrong
        loss.backward()
        return {"loss": loss.item(), "ranking": ranked.item(), "answer": wrong.item()}

    return fit(
        scorer,
        backward,
        config.steps,
        config.optimizer,
        config.ema_decay,
        checkpoints,
        lambda average: validate(average, base, *validation),
        config.validate_every,
    )


def validate(
    scorer: nn.Module, base: DiffusionHMR, pictures: Pictures, candidates: Candidates
) -> Row:
    """How well the scorer orders the base's samples for held-out pictures."""
    scores = score_tokens(scorer, base, pictures, candidates.tokens).numpy()
    errors = candidates.errors[..., ERRORS.index("mpjpe")].numpy()
    return {
        "within_srcc": float(within_pictures(scores, errors).mean()),
        "regret_mm": float(regret(scores, errors).mean()),
    }
