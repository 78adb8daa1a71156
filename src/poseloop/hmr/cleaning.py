"""Cleaning of labels by the scorer: find the wrong ones, leave them out, learn again."""

import numpy as np
import roma
import torch
from torch import Tensor, nn

from poseloop.body.joints import MIRROR
from poseloop.hmr.dataset import Encoded, bodies_of, freeze
from poseloop.hmr.denoiser import Denoiser, DiffusionHMR
from poseloop.hmr.errors import body_errors
from poseloop.hmr.evaluation_config import CleaningConfig
from poseloop.hmr.losses import DenoisingError
from poseloop.hmr.preferences import draw_hypotheses
from poseloop.hmr.scorer import Scorer, score_tokens
from poseloop.hmr.skeleton_body import Bodies
from poseloop.hmr.store import Labels, Pictures
from poseloop.multiview.fitting import Row, fit
from poseloop.runtime.checkpoints import Checkpoints
from poseloop.runtime.seeds import derive_seed, numpy_rng, torch_rng

_REFLECT = torch.diag(torch.tensor([-1.0, 1.0, 1.0]))


def make_wrong(bodies: Bodies, config: CleaningConfig, seed: int) -> tuple[Bodies, np.ndarray]:
    """Bodies of which the configured share is wrong, and which ones are (N,) bool.

    A third of the faults are a turned joint at every joint, a third the mirrored body, a third the
    body of another picture: what fitting, left-right confusion and mixed-up people leave.
    """
    rng = numpy_rng(seed, "cleaning", "faults")
    count = len(bodies.betas)
    rows = rng.permutation(count)[: round(config.wrong * count)]
    noisy, mirrored, swapped = map(torch.from_numpy, np.array_split(rows, 3))
    rotations = bodies.rotations.clone()
    vectors = torch.from_numpy(rng.normal(0, config.noise, (len(noisy), 24, 3)).astype(np.float32))
    rotations[noisy] = rotations[noisy] @ roma.rotvec_to_rotmat(vectors)
    rotations[mirrored] = (_REFLECT @ rotations[mirrored] @ _REFLECT)[:, list(MIRROR)]
    rotations[swapped] = rotations[swapped.roll(1)]
    wrong = np.zeros(count, bool)
    wrong[rows] = True
    return Bodies(rotations, bodies.betas, bodies.camera), wrong


def kept_rows(order: np.ndarray, share: float) -> np.ndarray:
    """The first rows of an order, best first, that make up `share` of it."""
    return np.sort(order[: round(share * len(order))])


def precision(kept: np.ndarray, wrong: np.ndarray) -> float:
    """Share of the removed labels (all but `kept`) that are indeed wrong."""
    removed = np.setdiff1d(np.arange(len(wrong)), kept)
    return float(wrong[removed].mean()) if len(removed) else float("nan")


def train_regressor(
    base: DiffusionHMR,
    data: Encoded,
    tokens: Tensor,
    rows: np.ndarray,
    config: CleaningConfig,
    seed: int,
    checkpoints: Checkpoints,
) -> nn.Module:
    """A fresh network of the denoiser's size that regresses bodies in one step.

    Parameters
    ----------
    data, tokens : N encoded pictures and their labels (N, T, C)
    rows : which labels may be used
    """
    torch.manual_seed(derive_seed(seed, "cleaning", "weights"))
    network = Denoiser(base.config, base.layout, base.encoder).to(base.device)
    error, kept = DenoisingError(base.layout, base.config.loss), torch.from_numpy(rows)

    def backward(step: int) -> Row:
        generator = torch_rng(seed, "cleaning", "step", step)
        index = kept[torch.randint(len(kept), (config.batch_size,), generator=generator)]
        target, part = tokens[index, None], data[index]
        found = regress(network, base, part)
        joints = error.joints_of(target, part.intrinsics)
        loss = error(found, target, joints, part.intrinsics).mean()
        loss.backward()
        return {"loss": loss.item()}

    average, _ = fit(
        network, backward, config.steps, config.optimizer, config.ema_decay, checkpoints
    )
    return freeze(average)


def regress(network: nn.Module, base: DiffusionHMR, data: Encoded) -> Tensor:
    """Tokens (B, 1, T, C) that the network gives from zero noise in one step."""
    last, shape, device = base.config.diffusion.train_timesteps - 1, (len(data), 1), base.device
    blank = torch.zeros(*shape, *base.layout.mask.shape, device=device)
    return network(blank, torch.full(shape, last, device=device), data.features)


@torch.no_grad()
def regressor_errors(
    network: nn.Module, base: DiffusionHMR, data: Encoded, labels: Labels
) -> dict[str, list[float]]:
    """`mpjpe` and `pa_mpjpe` of every picture, millimetres."""
    found = base.layout.decode(regress(network, base, data), data.intrinsics[:, None])
    truth = bodies_of(labels).to(base.device)
    errors = body_errors(base.body, found, truth, ["mpjpe", "pa_mpjpe"])
    return {name: errors[name][:, 0].tolist() for name in ("mpjpe", "pa_mpjpe")}


def usual_scores(
    scorer: Scorer, base: DiffusionHMR, pictures: Pictures, data: Encoded, count: int, seed: int
) -> Tensor:
    """Mean score (N,) of `count` hypotheses of each picture.

    Parameters
    ----------
    data : the N pictures as the base's encoder sees them
    """
    drawn = draw_hypotheses(base, data, count, seed, "cleaning")
    return score_tokens(scorer, base, pictures, drawn).mean(1)


def label_scores(
    scorer: Scorer, base: DiffusionHMR, pictures: Pictures, tokens: Tensor, usual: Tensor
) -> np.ndarray:
    """Scores (N,) of labels (N, T, C), less what is usual for each picture (N,).

    Ranking compares hypotheses of one picture and leaves free what a picture adds to all of its
    scores, so scores of different pictures can only be compared against something of each.
    """
    scores = score_tokens(scorer, base, pictures, tokens[:, None])
    return (scores[:, 0] - usual).numpy()


def best_first(scores: np.ndarray) -> np.ndarray:
    """Order (N,) in which labels are kept by their scores (N,)."""
    return np.argsort(-scores, kind="stable")


def random_order(count: int, seed: int) -> np.ndarray:
    """Order (N,) in which labels are kept by chance."""
    return numpy_rng(seed, "cleaning", "random").permutation(count)
