"""Batches of ordered hypotheses from several preference sources."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from poseloop.hmr.dataset import Encoded, picture_tensor
from poseloop.hmr.encoder import Features
from poseloop.hmr.preferences import Preferences
from poseloop.hmr.store import Pictures


@dataclass(frozen=True)
class Source:
    """A preference source: row i of pictures, of what the base's encoder makes of them, and of the
    preferences is the same picture."""

    pictures: Pictures
    data: Encoded
    preferences: Preferences


@dataclass(frozen=True)
class Batch:
    """Pictures with G hypotheses each, better ones first unless they are a group.

    All but `source` lie where the features do.

    image : (B, 3, S, S) in [0, 1]
    features : Features of B pictures, by the base's encoder
    intrinsics : (B, 3)
    tokens : (B, G, T, C)
    scores : (B, G)
    source : (B,), place of each picture's source among those that were drawn from
    """

    image: Tensor
    features: Features
    intrinsics: Tensor
    tokens: Tensor
    scores: Tensor
    source: Tensor

    def winners(self, times: int) -> "Batch":
        """The batch with the first hypothesis of each picture, so many times."""
        first = [value[:, :1] for value in (self.tokens, self.scores)]
        tokens, scores = (value.repeat_interleave(times, 1) for value in first)
        return replace(self, tokens=tokens, scores=scores)


def draw_batch(
    sources: Mapping[str, Source],
    shares: Mapping[str, float],
    pictures: int,
    group: int | None,
    generator: torch.Generator,
) -> Batch:
    """Draw `pictures` pairs, or groups of `group` hypotheses, from sources by their shares."""
    weights = torch.tensor(list(shares.values()))
    chosen = torch.multinomial(weights, pictures, replacement=True, generator=generator)
    parts = [
        _draw(sources[name], index, int((chosen == index).sum()), group, generator)
        for index, name in enumerate(shares)
        if (chosen == index).any()
    ]
    features = Features(
        *(torch.cat(values) for values in zip(*(p.features for p in parts), strict=True))
    )
    image, intrinsics, tokens, scores, source = (
        torch.cat([getattr(part, name) for part in parts])
        for name in ("image", "intrinsics", "tokens", "scores", "source")
    )
    return Batch(image, features, intrinsics, tokens, scores, source)


def _draw(
    source: Source, place: int, count: int, group: int | None, generator: torch.Generator
) -> Batch:
    preferences = source.preferences
    if group is None:
        index = torch.randint(len(preferences.pairs), (count,), generator=generator)
        rows, columns = preferences.pairs[index, 0], preferences.pairs[index, 1:]
    else:
        rows = torch.randint(len(preferences), (count,), generator=generator)
        order = torch.rand((count, preferences.scores.shape[1]), generator=generator)
        columns = order.argsort(1)[:, :group]
    data = source.data[rows]
    lines, device = rows[:, None], data.intrinsics.device
    return Batch(
        picture_tensor(source.pictures, rows.numpy()).to(device),
        data.features,
        data.intrinsics,
        preferences.tokens[lines, columns].to(device),
        preferences.scores[lines, columns].to(device),
        torch.full((count,), place),
    )
