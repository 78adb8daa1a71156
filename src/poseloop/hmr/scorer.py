"""HMR-Scorer: a picture and a hypothesis in, one number out; higher is better.

As the released scorer it looks at the picture at two scales: coarse tokens by cross-attention, and
a fine map at the places where the hypothesis puts its joints (fact sheet ADHMR 1.1, 1.2). It
differs in one thing: it makes an estimate of its own from the picture alone, once for all
hypotheses, and each joint token also holds its distance from that estimate. Ranking then starts
from a regressor's knowledge instead of having to find it through the ranking loss.
"""

from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from poseloop.hmr.config import EncoderConfig, TransformerConfig
from poseloop.hmr.encoder import Encoder, Features, sample_at
from poseloop.hmr.geometry import project
from poseloop.hmr.scorer_config import ScorerConfig
from poseloop.hmr.skeleton_body import Bodies, SkeletonBody
from poseloop.hmr.transformer import JointTransformer
from poseloop.runtime.errors import UserError
from poseloop.runtime.weights import load_into, read_weights, write_weights

_JOINTS = list(range(24))
# Place (2), joint (3), both from the scorer's own (5), 6-D rotation (6), confidence (1).
_INPUTS = 17


class Context(NamedTuple):
    """What the scorer knows of B pictures before it sees a hypothesis.

    features : Features
    tokens : (B, 24, W)
    estimate : (B, 24, 3), joints from the pelvis, metres
    """

    features: Features
    tokens: Tensor
    estimate: Tensor


class Scorer(nn.Module):
    """HMR-Scorer.

    Parameters
    ----------
    config : ScorerConfig
    encoder : EncoderConfig
        Of the scorer's own encoder.
    """

    def __init__(self, config: ScorerConfig, encoder: EncoderConfig) -> None:
        super().__init__()
        self.config, self.encoder_config = config, encoder
        self.encoder = Encoder(encoder)
        width, fine = config.width, self.encoder.map_channels
        self.place = nn.Parameter(0.02 * torch.randn(24, width))
        self.local = nn.Linear(fine + 3, width)
        self.first = self._transformer(config.estimate_hops)
        self.estimate = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, 3))
        self.enter = nn.Linear(_INPUTS, width)
        self.seen = nn.Linear(fine, width)
        self.second = self._transformer(config.hops)
        self.verdict = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, width), nn.GELU("tanh"), nn.Linear(width, 1)
        )

    def _transformer(self, hops: list[int]) -> JointTransformer:
        settings = TransformerConfig(width=self.config.width, heads=self.config.heads, hops=hops)
        return JointTransformer(settings, _JOINTS, 0, self.encoder.token_channels)

    def look(self, pictures: Tensor) -> Context:
        """Pictures (B, 3, S, S) in [0, 1]: the part that all hypotheses of a picture share."""
        features = self.encoder(pictures)
        seen = sample_at(features.map, features.detected)
        seen = torch.cat([seen, features.detected, features.confidence / 4], -1)
        tokens = (self.local(seen) + self.place).unsqueeze(1)
        tokens = self.first(tokens, features.tokens).squeeze(1)
        estimate = self.estimate(tokens)
        return Context(features, tokens, estimate - estimate[:, :1])

    def forward(
        self, context: Context, bodies: Bodies, body: SkeletonBody, intrinsics: Tensor
    ) -> Tensor:
        """Scores (B, M) of M bodies for each of B pictures with intrinsics (B, 3)."""
        features = context.features
        joints = body.joints(bodies)
        places = project(joints, bodies.camera, intrinsics[:, None])
        batch, many = joints.shape[:2]
        local = sample_at(features.map, places.flatten(1, 2).clamp(-2, 2))
        confidence = features.confidence[:, None].expand(-1, many, -1, -1) / 4
        inputs = [
            places,
            joints,
            places - features.detected[:, None],
            joints - context.estimate.detach()[:, None],
            bodies.rotations[..., :2].flatten(-2),
            confidence,
        ]
        tokens = self.enter(torch.cat(inputs, -1).clamp(-5, 5))
        tokens = tokens + self.seen(local).view(batch, many, 24, -1) + context.tokens[:, None]
        tokens = self.second(tokens, features.tokens)
        return self.verdict(tokens).squeeze(-1).mean(-1)

    def save(self, path: str | Path, base: str) -> None:
        """Write weights and configuration; `base` is the hash of the base that it ranks."""
        settings = {
            "scorer": self.config.model_dump(),
            "encoder": self.encoder_config.model_dump(),
            "base_sha256": base,
        }
        write_weights(path, self.state_dict(), settings)


def load_scorer(path: str | Path) -> Scorer:
    """Read what `Scorer.save` wrote; frozen, in evaluation mode.

    Raises
    ------
    UserError
        The file is missing or holds other weights.
    """
    state, metadata = read_weights(path)
    if "scorer" not in metadata:
        raise UserError(f"{path}: not the weights of a scorer")
    scorer = Scorer(
        ScorerConfig.model_validate(metadata["scorer"]),
        EncoderConfig.model_validate(metadata["encoder"]),
    )
    load_into(scorer, state, path)
    return scorer.eval().requires_grad_(False)


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
