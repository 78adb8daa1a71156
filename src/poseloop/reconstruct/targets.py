"""Six views of one subject as the carving needs them, and the reasons to refuse them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from poseloop.reconstruct.silhouette import signed_distance

_SOME_BODY = 0.3
"""Length from which a normal counts when a view's contrast is measured."""
_SURE = 0.9


@dataclass(frozen=True)
class Targets:
    """C orthographic views of S x S pixels.

    azimuths : (C,) degrees
    normal : (C, S, S, 3) float32 tensor
        Normals of the view frame; shorter than one where a picture is unsure, zero outside.
    mask : (C, S, S) float32 tensor
        In [0, 1]: the normals' lengths, by which they count.
    distance : (C, S, S) float32 tensor
        Signed distance to the silhouette's border, pixels, positive inside.
    weights : (C,) float32 tensor
        Of the views; their mean is one.
    certainty : float
        In [0, 1]: how long the normals of the bodies are in the pictures as they were given. Views
        that agree with themselves have one; generated ones, which average what they doubt, less.
    """

    azimuths: Sequence[float]
    normal: torch.Tensor
    mask: torch.Tensor
    distance: torch.Tensor
    weights: torch.Tensor
    certainty: float

    @property
    def size(self) -> int:
        """Pixels S along each side."""
        return self.mask.shape[-1]

    def to(self, device: torch.device) -> "Targets":
        """The same on another device."""
        tensors = (self.normal, self.mask, self.distance, self.weights)
        moved = (tensor.to(device) for tensor in tensors)
        return Targets(self.azimuths, *moved, self.certainty)


def vectors(normal: np.ndarray) -> np.ndarray:
    """Normal pictures (..., 3) uint8 as vectors (..., 3) float32, 128 being zero."""
    return np.clip((normal.astype(np.float32) - 128) / 127, -1, 1)


def sharpen(field: np.ndarray) -> np.ndarray:
    """Scale a view's vectors (S, S, 3) so that the sure ones have unit length, none more."""
    length = np.linalg.norm(field, axis=-1)
    body = length[length > _SOME_BODY]
    if not len(body):
        return field
    scale = max(1.0, 1 / np.quantile(body, _SURE))
    return field * np.minimum(scale, 1 / np.maximum(length, 1e-6))[..., None]


def make_targets(
    normal: np.ndarray, inside: np.ndarray, azimuths: Sequence[float], weights: Sequence[float]
) -> Targets:
    """Targets from normal pictures (C, S, S, 3) uint8 and silhouettes (C, S, S) bool.

    Generated views hedge, some more than others: each is brought to the contrast of a sure one
    first, by the length that nine tenths of its body's normals do not reach. True views stay as
    they are. `weights` are those of the views (fact sheet 4.5), scaled here to a mean of one.
    """
    field = np.stack([sharpen(vectors(view)) for view in normal])
    mask = np.minimum(np.linalg.norm(field, axis=-1), 1)
    distance = np.stack([signed_distance(view) for view in inside])
    share = torch.tensor(weights, dtype=torch.float32)
    lengths = [np.linalg.norm(vectors(view), axis=-1) for view in normal]
    bodies = [length[length > _SOME_BODY] for length in lengths]
    typical = [np.median(body) if len(body) else 0.0 for body in bodies]
    return Targets(
        [float(azimuth) for azimuth in azimuths],
        torch.from_numpy(field),
        torch.from_numpy(mask),
        torch.from_numpy(distance).float(),
        share / share.mean(),
        min(1.0, float(np.mean(typical))),
    )


def unequal_sizes(normal: Sequence[np.ndarray], rgb: Sequence[np.ndarray]) -> str | None:
    """What to say of C normal and C colour pictures (S, S, 3) that are not of one size."""
    shapes = {picture.shape for picture in (*normal, *rgb)}
    if len(shapes) > 1:
        sizes = ", ".join(sorted(f"{shape[1]} x {shape[0]}" for shape in shapes))
        return f"views of different sizes ({sizes})"
    return None


def refusal(inside: np.ndarray, azimuths: Sequence[float]) -> str | None:
    """Why silhouettes (C, S, S) bool cannot be carved, or None if they can."""
    for azimuth, body in zip(azimuths, inside, strict=True):
        where = f"the view at {azimuth:g} degrees"
        if not body.any():
            return f"{where} has an empty mask"
        if body[[0, -1]].any() or body[:, [0, -1]].any():
            return f"{where} has a mask that touches the border"
    return None
