"""Hypotheses in order of preference, and the shards that hold them.

A shard holds the hypotheses of some pictures, their scores, and pairs of indices into them, so that
one file serves objectives on pairs, on single hypotheses and on groups. The manifest beside the
shards names the base, whose layout and samples these are, by its hash.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from poseloop.data.stored import check_arrays
from poseloop.hmr.dataset import Encoded, bodies_of, encode_pictures
from poseloop.hmr.denoiser import DiffusionHMR
from poseloop.hmr.diffusion import hypothesis_noise, sample
from poseloop.hmr.errors import body_errors
from poseloop.hmr.preference_config import PairingConfig
from poseloop.hmr.scorer import Scorer, score_tokens
from poseloop.hmr.skeleton_body import Bodies
from poseloop.hmr.store import Labels, Pictures
from poseloop.runtime.errors import UserError
from poseloop.runtime.files import read_json, read_npz, sha256, write_json, write_npz
from poseloop.runtime.refusing import refusing
from poseloop.runtime.seeds import torch_rng

_BATCH = 32
_SHARD = {
    "picture": ("i", ("N",)),
    "tokens": ("f", ("N", "G", "T", "C")),
    "scores": ("f", ("N", "G")),
    "pairs": ("i", ("P", 3)),
}


@dataclass(frozen=True)
class Preferences:
    """Ordered hypotheses of N pictures.

    picture : (N,) int64
        Row of the picture set.
    tokens : (N, G, T, C) float32
        In the base's layout.
    scores : (N, G) float32
        Higher is better. Of a labelled source minus the MPJPE in metres, 0 for the truth.
    pairs : (P, 3) int64
        Row of `picture`, winner, loser.
    """

    picture: Tensor
    tokens: Tensor
    scores: Tensor
    pairs: Tensor

    def __len__(self) -> int:
        return len(self.picture)


@torch.no_grad()
def draw_hypotheses(model: DiffusionHMR, data: Encoded, count: int, seed: int, name: str) -> Tensor:
    """Hypotheses (N, count, T, C) of encoded pictures; the first of each has zero noise."""
    parts = []
    for start in range(0, len(data), _BATCH):
        part = data[start : start + _BATCH]
        generator = torch_rng(seed, "hmr", "hypotheses", name, start)
        noise = hypothesis_noise(len(part), count, model.layout.mask, generator)
        parts.append(sample(model.denoiser, model.config.diffusion, part.features, noise))
    return torch.cat(parts)


def scored_preferences(
    model: DiffusionHMR,
    scorer: Scorer,
    pictures: Pictures,
    count: int,
    pairing: PairingConfig,
    seed: int,
    name: str,
) -> Preferences:
    """Hypotheses of pictures without labels, in the scorer's order."""
    data = encode_pictures(model.encoder, pictures)
    tokens = draw_hypotheses(model, data, count, seed, name).half().float()
    scores = score_tokens(scorer, model, pictures, tokens)
    return Preferences(torch.arange(len(data)), tokens.cpu(), scores, make_pairs(scores, pairing))


@torch.no_grad()
def labelled_preferences(
    model: DiffusionHMR, pictures: Pictures, labels: Labels, count: int, seed: int, name: str
) -> Preferences:
    """The truth and count - 1 hypotheses of labelled pictures; the truth wins over each of them.

    The released code pairs the truth with the zero-noise hypothesis (fact sheet ADHMR 3); that is
    the first pair of a picture.
    """
    data, truth = encode_pictures(model.encoder, pictures), bodies_of(labels).to(model.device)
    own = model.layout.encode(truth, data.intrinsics).unsqueeze(1)
    drawn = draw_hypotheses(model, data, count - 1, seed, name)
    tokens = torch.cat([own, drawn], 1).half().float()
    scores = []
    for start in range(0, len(data), _BATCH):
        part = slice(start, start + _BATCH)
        found = model.layout.decode(tokens[part], data.intrinsics[part, None])
        true = Bodies(*(value[part] for value in truth))
        errors = body_errors(model.body, found, true, ["mpjpe"])
        scores.append(-errors["mpjpe"].cpu() / 1000)
    scores = torch.cat(scores)
    scores[:, 0] = 0.0
    rows = torch.arange(len(data)).repeat_interleave(count - 1)
    losers = torch.arange(1, count).repeat(len(data))
    pairs = torch.stack([rows, torch.zeros_like(rows), losers], 1)
    return Preferences(torch.arange(len(data)), tokens.cpu(), scores, pairs)


def make_pairs(scores: Tensor, config: PairingConfig) -> Tensor:
    """Pairs (P, 3) of picture, winner and loser from scores (N, G)."""
    order = scores.argsort(dim=1, descending=True, stable=True)
    count = 1 if config.rule == "best_worst" else min(config.k, scores.shape[1] // 2)
    winners, losers = order[:, :count], order.flip(1)[:, :count]
    rows = torch.arange(len(scores))[:, None].expand(-1, count)
    gap = scores.gather(1, winners) - scores.gather(1, losers)
    spread = (scores - scores.mean(1, keepdim=True)).square().mean().sqrt()
    kept = (gap > 0) & (gap >= config.least_gap * spread)
    return torch.stack([rows[kept], winners[kept], losers[kept]], 1)


def write_preferences(
    shards: list[Path], manifest: Path, preferences: Preferences, base: Path, about: dict
) -> None:
    """Write the shards, pictures split evenly, and their manifest.

    Parameters
    ----------
    base : path
        Weights of the model that drew the hypotheses.
    about : dict
        What else the manifest should say.
    """
    for path, rows in zip(
        shards, np.array_split(np.arange(len(preferences)), len(shards)), strict=True
    ):
        first, last = int(rows[0]), int(rows[-1])
        inside = (preferences.pairs[:, 0] >= first) & (preferences.pairs[:, 0] <= last)
        pairs = preferences.pairs[inside] - torch.tensor([first, 0, 0])
        write_npz(
            path,
            {
                "picture": preferences.picture[rows].numpy(),
                "tokens": preferences.tokens[rows].half().numpy(),
                "scores": preferences.scores[rows].numpy(),
                "pairs": pairs.numpy(),
            },
        )
    content = {
        "base_sha256": sha256(base),
        "pictures": len(preferences),
        "hypotheses": preferences.tokens.shape[1],
        "pairs": len(preferences.pairs),
        "shards": {path.name: sha256(path) for path in shards},
    }
    write_json(manifest, content | about)


def read_preferences(manifest: str | Path, base: str | Path) -> Preferences:
    """Read the shards that a manifest names, which lie beside it.

    Raises
    ------
    UserError
        A file is missing or misshapen, is not the one that the manifest describes, or the
        hypotheses are not those of the model in `base`.
    """
    manifest = Path(manifest)
    content = read_json(manifest)
    with refusing(manifest, "not a manifest of preference pairs"):
        owner, names = content["base_sha256"], dict(content["shards"])
    if owner != sha256(base):
        raise UserError(f"{manifest}: pairs of another base model than {base}; make them anew")
    if not names:
        raise UserError(f"{manifest}: names no shards")
    with refusing(manifest, "shards that do not fit each other"):
        return _joined(_read_shard(manifest, name, digest) for name, digest in names.items())


def _read_shard(manifest: Path, name: str, digest: str) -> Preferences:
    """The shard beside the manifest; a link there must not lead elsewhere."""
    folder = manifest.parent.resolve()
    if Path(name).name != name or (folder / name).resolve().parent != folder:
        raise UserError(f"{manifest}: shard {name!r} is not beside the manifest")
    path = manifest.parent / name
    arrays = read_npz(path, *_SHARD)
    if sha256(path) != digest:
        raise UserError(f"{path}: is not the shard that {manifest.name} describes")
    check_arrays(path, arrays, _SHARD)
    limits = (*arrays["scores"].shape, arrays["scores"].shape[1])
    pairs = arrays["pairs"]
    if (pairs < 0).any() or (pairs >= [limits[0], limits[1], limits[2]]).any():
        raise UserError(f"{path}: pairs name hypotheses that do not exist")
    return Preferences(
        torch.from_numpy(arrays["picture"]).long(),
        torch.from_numpy(arrays["tokens"].astype(np.float32)),
        torch.from_numpy(arrays["scores"]),
        torch.from_numpy(pairs).long(),
    )


def _joined(parts: Iterable[Preferences]) -> Preferences:
    parts = list(parts)
    starts = np.cumsum([0] + [len(part) for part in parts])
    pairs = [
        part.pairs + torch.tensor([int(start), 0, 0])
        for part, start in zip(parts, starts[:-1], strict=True)
    ]
    picture, tokens, scores = (
        torch.cat([getattr(part, name) for part in parts])
        for name in ("picture", "tokens", "scores")
    )
    return Preferences(picture, tokens, scores, torch.cat(pairs))
