"""Training of HMR-Scorer on ranked candidates."""

import torch
from torch import Tensor, nn

from poseloop.body.model import BodyModel
from poseloop.hmr.candidates import Candidates
from poseloop.hmr.dataset import bodies_of, colour_jitter, picture_tensor
from poseloop.hmr.denoiser import DiffusionHMR
from poseloop.hmr.encoder import detection_loss
from poseloop.hmr.geometry import project
from poseloop.hmr.losses import DenoisingError
from poseloop.hmr.ranking import ranknet, regret, within_pictures
from poseloop.hmr.scorer import Scorer
from poseloop.hmr.scorer_config import ERRORS, ScorerConfig
from poseloop.hmr.store import Labels, Pictures
from poseloop.multiview.fitting import Row, fit_sharded
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
    """Train the scorer, whose encoder and answer start as the base's.

    Returns its weight average and the log.

    The log holds the terms of the loss at every step and, at validations, `within_srcc` and
    `regret_mm` by MPJPE among the base's samples for held-out pictures.
    """
    torch.manual_seed(derive_seed(config.seed, "scorer", "weights"))
    scorer = Scorer(config, base.config, body)
    scorer.own.load_state_dict(base.state_dict())
    scorer.requires_grad_(True)
    pictures, labels, candidates = data
    truth, intrinsics = bodies_of(labels), torch.from_numpy(pictures.intrinsics)
    joints = base.body.joints(truth)
    places = project(joints, truth.camera, intrinsics)
    size = config.batch_size // config.threads
    ranking = config.ranking
    tokens = base.layout.encode(truth, intrinsics)
    error = DenoisingError(base.layout, base.config.loss)

    def shard(step: int, part: int) -> Tensor:
        generator = torch_rng(config.seed, "scorer", "step", step, part)
        rows = torch.randint(len(intrinsics), (size,), generator=generator)
        image = picture_tensor(pictures, rows.numpy())
        jittered = colour_jitter(image, config.colour_jitter, generator)
        context = scorer.look(jittered, intrinsics[rows])
        bodies = base.layout.decode(candidates.tokens[rows], intrinsics[rows, None])
        scores = scorer(context, bodies, intrinsics[rows])
        loss = ranknet(scores, candidates.errors[rows], ranking)
        target, wanted = tokens[rows, None], joints[rows, None]
        wrong = error(context.answer, target, wanted, intrinsics[rows]).mean()
        missed = detection_loss(scorer.encoder.heat(context.features.map), places[rows])
        return loss + ranking.answer_weight * wrong + ranking.detection_weight * missed

    return fit_sharded(
        scorer,
        shard,
        config.threads,
        config.steps,
        config.optimizer,
        config.ema_decay,
        checkpoints,
        lambda average: validate(average, base, *validation),
        config.validate_every,
    )


@torch.no_grad()
def score_tokens(
    scorer: nn.Module, base: DiffusionHMR, pictures: Pictures, tokens: Tensor, batch: int = 16
) -> Tensor:
    """Scores (N, M) of hypotheses (N, M, T, C) in the base's layout."""
    intrinsics = torch.from_numpy(pictures.intrinsics)
    scores = []
    for start in range(0, len(tokens), batch):
        part = slice(start, start + batch)
        bodies = base.layout.decode(tokens[part], intrinsics[part, None])
        context = scorer.look(picture_tensor(pictures, part), intrinsics[part])
        scores.append(scorer(context, bodies, intrinsics[part]))
    return torch.cat(scores)


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
