"""How well hypotheses are ranked: the scorer against two baselines that need no learning."""

import numpy as np
import torch

from poseloop.hmr.candidates import make_candidates
from poseloop.hmr.dataset import picture_tensor
from poseloop.hmr.denoiser import DiffusionHMR
from poseloop.hmr.geometry import project
from poseloop.hmr.ranking import (
    consensus_score,
    over_pictures,
    regret,
    reprojection_score,
    within_pictures,
)
from poseloop.hmr.scorer import Scorer, score_tokens
from poseloop.hmr.scorer_config import ERRORS, CandidatesConfig
from poseloop.hmr.store import Labels, Pictures

_BATCH = 16


@torch.no_grad()
def rank_hypotheses(
    base: DiffusionHMR, scorer: Scorer, pictures: Pictures, labels: Labels, samples: int, seed: int
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Scores and errors (N, M) of the base's own samples.

    Returns
    -------
    scores by ranker (`scorer`, `reprojection`, `consensus`), and errors by name, millimetres

    The reprojection baseline measures against the 2D joints that the scorer's encoder detects: it
    has seen the broader set, so this is the stronger of the two detectors at hand.
    """
    settings = CandidatesConfig(samples=samples, noise_levels=[], orient_share=0, betas_noise=0)
    candidates = make_candidates(base, pictures, labels, settings, seed)
    intrinsics = torch.from_numpy(pictures.intrinsics).to(base.device)
    plain: dict[str, list] = {"reprojection": [], "consensus": []}
    for start in range(0, len(intrinsics), _BATCH):
        part = slice(start, start + _BATCH)
        tokens = candidates.tokens[part].to(base.device)
        bodies = base.layout.decode(tokens, intrinsics[part, None])
        joints = base.body.joints(bodies)
        places = project(joints, bodies.camera, intrinsics[part, None])
        detected = scorer.encoder(picture_tensor(pictures, part).to(base.device)).detected
        plain["reprojection"].append(reprojection_score(places, detected).cpu())
        plain["consensus"].append(consensus_score(joints).cpu())
    scores = {"scorer": score_tokens(scorer, base, pictures, candidates.tokens).numpy()}
    scores |= {name: torch.cat(parts).numpy() for name, parts in plain.items()}
    errors = {name: candidates.errors[..., index].numpy() for index, name in enumerate(ERRORS)}
    return scores, errors


def ranking_metrics(
    scores: dict[str, np.ndarray], errors: dict[str, np.ndarray]
) -> dict[str, dict[str, list[float]]]:
    """Metrics by ranker: `<plcc|srcc|krcc>_<error>` over pictures, one hypothesis (that of zero
    noise) each, as lists of one; `within_<error>` and `regret_<error>` for each picture."""
    return {
        ranker: {
            name: values
            for error, truth in errors.items()
            for name, values in _metrics(given, truth, error).items()
        }
        for ranker, given in scores.items()
    }


def _metrics(scores: np.ndarray, errors: np.ndarray, error: str) -> dict[str, list[float]]:
    across = over_pictures(scores[:, 0], errors[:, 0])
    return {f"{name}_{error}": [value] for name, value in across.items()} | {
        f"within_{error}": within_pictures(scores, errors).tolist(),
        f"regret_{error}": regret(scores, errors).tolist(),
    }
