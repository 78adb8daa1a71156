"""HMR-Scorer: a picture and a hypothesis in, one number out; higher is better.

As the released scorer it looks at the picture at two scales: coarse tokens by cross-attention, and
a fine map at the places where the hypothesis puts its joints (fact sheet ADHMR 1.1, 1.2). It
differs in one thing: it answers itself, once for all hypotheses of a picture, and each joint token
also holds its distance from that answer. The encoder is the base's. The answer starts as the base's
and goes on learning on the scorer's broader set, so that ranking starts from a regressor's
knowledge instead of having to find it through the ranking loss. A scorer that began its answer anew
ranked the base's samples worse than their distance from their mean does (0.15 against 0.26 within
a picture).
"""

from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from poseloop.body.model import BodyModel
from poseloop.hmr.config import BaseConfig, TransformerConfig, saved_config
from poseloop.hmr.dataset import picture_tensor
from poseloop.hmr.denoiser import DiffusionHMR
from poseloop.hmr.diffusion import in_cache
from poseloop.hmr.encoder import Encoder, Features
from poseloop.hmr.geometry import project
from poseloop.hmr.scorer_config import ScorerConfig
from poseloop.hmr.skeleton_body import Bodies
from poseloop.hmr.store import Pictures
from poseloop.hmr.transformer import JointTransformer
from poseloop.runtime.errors import UserError
from poseloop.runtime.kernels import sample_at
from poseloop.runtime.rebuilding import rebuilding
from poseloop.runtime.weights import load_into, read_weights, write_weights

_JOINTS = list(range(24))
# Place (2), joint (3), rotation (6), the same less the answer's (11), place less the detected one
# (2), distance from the answer (1), confidence (1).
_INPUTS = 26
# Of the answer's nearness in a score at the start, per metre; RankNet's slope comes on top.
_NEARNESS = 10.0


class Context(NamedTuple):
    """What the scorer knows of B pictures before it sees a hypothesis.

    features : Features
    answer : (B, 1, T, C), tokens of the scorer's own answer in the base's layout
    places : (B, 1, 24, 2), its projected joints
    joints : (B, 1, 24, 3), from the pelvis, metres
    columns : (B, 1, 24, 6), the first two columns of its rotations
    """

    features: Features
    answer: Tensor
    places: Tensor
    joints: Tensor
    columns: Tensor


class Scorer(nn.Module):
    """HMR-Scorer.

    Parameters
    ----------
    config : ScorerConfig
    base : BaseConfig
        Of the base that it ranks.
    body : BodyModel
    """

    def __init__(self, config: ScorerConfig, base: BaseConfig, body: BodyModel) -> None:
        super().__init__()
        self.config = config
        self.own = DiffusionHMR(base, body)
        width, fine = config.width, self.encoder.map_channels
        self.place = nn.Parameter(0.02 * torch.randn(24, width))
        self.enter = nn.Linear(_INPUTS, width)
        self.seen = nn.Linear(fine, width)
        settings = TransformerConfig(width=width, heads=config.heads, hops=config.hops)
        self.transformer = JointTransformer(settings, _JOINTS, 0, self.encoder.token_channels)
        self.verdict = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 1)
        )
        nn.init.zeros_(self.verdict[-1].weight)
        self.nearness = nn.Parameter(torch.tensor(_NEARNESS))

    @property
    def encoder(self) -> Encoder:
        """What it looks at pictures with: the base's encoder."""
        return self.own.encoder

    def look(self, pictures: Tensor, intrinsics: Tensor) -> Context:
        """Pictures (B, 3, S, S) in [0, 1]: the part that all hypotheses of a picture share."""
        return self.behold(self.encoder(pictures), intrinsics)

    def behold(self, features: Features, intrinsics: Tensor) -> Context:
        """The same from what the encoder makes of B pictures."""
        layout = self.own.layout
        shape, device = (len(intrinsics), 1), intrinsics.device
        blank = torch.zeros(*shape, *layout.mask.shape, device=device)
        last = self.own.config.diffusion.train_timesteps - 1
        answer = self.own.denoiser(blank, torch.full(shape, last, device=device), features)
        with torch.no_grad():
            bodies = layout.decode(answer, intrinsics[:, None])
            joints, places, columns = self._measures(bodies, intrinsics)
        return Context(features, answer, places, joints, columns)

    def _measures(self, bodies: Bodies, intrinsics: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        joints = self.own.body.joints(bodies)
        places = project(joints, bodies.camera, intrinsics[:, None]).clamp(-2, 2)
        return joints, places, bodies.rotations[..., :2].flatten(-2)

    def forward(self, context: Context, bodies: Bodies, intrinsics: Tensor) -> Tensor:
        """Scores (B, M) of M bodies for each of B pictures with intrinsics (B, 3)."""
        features = context.features
        joints, places, columns = self._measures(bodies, intrinsics)
        batch, many = joints.shape[:2]
        local = sample_at(features.map, places.flatten(1, 2))
        confidence = features.confidence[:, None].expand(-1, many, -1, -1) / 4
        apart = (joints - context.joints).norm(dim=-1, keepdim=True)
        inputs = [
            places,
            joints,
            columns,
            places - context.places,
            joints - context.joints,
            columns - context.columns,
            places - features.detected[:, None],
            apart,
            confidence,
        ]
        tokens = self.enter(torch.cat(inputs, -1)) + self.place
        tokens = tokens + self.seen(local).view(batch, many, 24, -1)
        tokens = self.transformer(tokens, features.tokens)
        return (self.verdict(tokens) - self.nearness * apart).squeeze(-1).mean(-1)

    def save(self, path: str | Path, base: str) -> None:
        """Write weights and configuration; `base` is the hash of the base that it ranks."""
        settings = {
            "scorer": self.config.model_dump(),
            "hmr": self.own.config.model_dump(),
            "base_sha256": base,
        }
        write_weights(path, self.state_dict(), settings)


def load_scorer(path: str | Path, body: BodyModel) -> Scorer:
    """Read what `Scorer.save` wrote; frozen, in evaluation mode.

    Raises
    ------
    UserError
        The file is missing, holds other weights, or belongs to another body.
    """
    state, metadata = read_weights(path)
    if "scorer" not in metadata:
        raise UserError(f"{path}: not the weights of a scorer")
    with rebuilding(path, state):
        scorer = Scorer(
            saved_config(path, metadata, "scorer", ScorerConfig),
            saved_config(path, metadata, "hmr", BaseConfig),
            body,
        )
    load_into(scorer, state, path)
    return scorer.eval().requires_grad_(False)


@torch.no_grad()
def score_tokens(
    scorer: nn.Module, base: DiffusionHMR, pictures: Pictures, tokens: Tensor
) -> Tensor:
    """Scores (N, M), on the CPU, of hypotheses (N, M, T, C) in the base's layout."""
    device = scorer.encoder.device
    intrinsics = torch.from_numpy(pictures.intrinsics).to(device)
    scores = []
    for part in in_cache(tokens):
        bodies = base.layout.decode(tokens[part].to(device), intrinsics[part, None])
        context = scorer.look(picture_tensor(pictures, part).to(device), intrinsics[part])
        scores.append(scorer(context, bodies, intrinsics[part]))
    return torch.cat(scores).cpu()


def check_bodies(bodies: Bodies, what: str) -> None:
    """Refuse hypotheses that are not numbers.

    Raises
    ------
    UserError
        A value is NaN or infinite; the message names `what` and the first such hypothesis.
    """
    for name, value in zip(bodies._fields, bodies, strict=True):
        bad = ~value.isfinite().flatten(2).all(-1)
        if bad.any():
            picture, hypothesis = bad.nonzero()[0].tolist()
            raise UserError(
                f"{what}: hypothesis {hypothesis} of picture {picture}: {name} is not finite"
            )
