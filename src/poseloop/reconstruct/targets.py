"""Six views of one subject as the carving needs them, and the reasons to refuse them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from poseloop.reconstruct.silhouette import signed_distance


@dataclass(frozen=True)
class Targets:
    """C orthographic views of S x S pixels.

    azimuths : (C,) degrees
    normal : (C, S, S, 3) float32 tensor
        Normals of the view frame; shorter than one where a picture is unsure, zero outside.
    mask : (C, S, S) float32 tensor
        In [0, 1].
    distance : (C, S, S) float32 tensor
        Signed distance to the mask's border, pixels, positive inside.
    weights : (C,) float32 tensor
        Of the views; their mean is one.
    """

    azimuths: Sequence[float]
    normal: torch.Tensor
    mask: torch.Tensor
    distance: torch.Tensor
    weights: torch.Tensor

    @property
    def size(self) -> int:
        """Pixels S along each side."""
        return self.mask.shape[-1]

    def to(self, device: torch.device) -> "Targets":
        """The same on another device."""
        tensors = (self.normal, self.mask, self.distance, self.weights)
        return Targets(self.azimuths, *(tensor.to(device) for tensor in tensors))


def vectors(normal: np.ndarray) -> np.ndarray:
    """Normal pictures (..., 3) uint8 as vectors (..., 3) float32, 128 being zero."""
    return np.clip((normal.astype(np.float32) - 128) / 127, -1, 1)


def soft_mask(normal: np.ndarray) -> np.ndarray:
    """Lengths (...) in [0, 1] of the vectors of normal pictures (..., 3) uint8.

    The background has length zero and the body one: a mask that needs no segmentation.
    """
    return np.minimum(np.linalg.norm(vectors(normal), axis=-1), 1)


def make_targets(
    normal: np.ndarray, azimuths: Sequence[float], weights: Sequence[float], level: float
) -> Targets:
    """Targets from normal pictures (C, S, S, 3) uint8; the body is where the mask reaches `level`.

    `weights` are those of the views (fact sheet 4.5), scaled here to a mean of one.
    """
    mask = soft_mask(normal)
    distance = np.stack([signed_distance(view >= level) for view in mask])
    share = torch.tensor(weights, dtype=torch.float32)
    return Targets(
        [float(azimuth) for azimuth in azimuths],
        torch.from_numpy(vectors(normal)),
        torch.from_numpy(mask),
        torch.from_numpy(distance).float(),
        share / share.mean(),
    )


def refusal(
    normal: Sequence[np.ndarray], rgb: Sequence[np.ndarray], azimuths: Sequence[float], level: float
) -> str | None:
    """Why a subject's views cannot be carved, or None if they can.

    Parameters
    ----------
    normal, rgb : C pictures (S, S, 3) uint8 each
    level : float
        Mask value from which a pixel is body.
    """
    shapes = {picture.shape for picture in (*normal, *rgb)}
    if len(shapes) > 1:
        sizes = ", ".join(sorted(f"{shape[1]} x {shape[0]}" for shape in shapes))
        return f"views of different sizes ({sizes})"
    for azimuth, picture in zip(azimuths, normal, strict=True):
        body = soft_mask(picture) >= level
        where = f"the view at {azimuth:g} degrees"
        if not body.any():
            return f"{where} has an empty mask"
        if body[[0, -1]].any() or body[:, [0, -1]].any():
            return f"{where} has a mask that touches the border"
    return None
