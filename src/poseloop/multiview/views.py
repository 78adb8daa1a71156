"""The model's own layout of views: mirrored back views, modality and view axes.

A subject is a tensor (views, 2, channels, height, width); modality 0 is the normal map and
modality 1 the colour image.
"""

from collections.abc import Sequence

import torch

NORMAL, COLOUR = 0, 1


def mirror_views(images: torch.Tensor, mirrored: Sequence[int], view_dim: int) -> torch.Tensor:
    """Flip the last axis of the listed views. It is its own inverse.

    Parameters
    ----------
    images : (..., W) tensor with the view axis at `view_dim`
    mirrored : indices of the views to flip
    view_dim : position of the view axis
    """
    images = images.clone()
    for view in mirrored:
        images.select(view_dim, view).copy_(images.select(view_dim, view).flip(-1))
    return images


def to_float(images: torch.Tensor) -> torch.Tensor:
    """(..., H, W, 3) uint8 to (..., 3, H, W) float32 in [-1, 1]; 128 of a normal map is 0."""
    return images.movedim(-1, -3).to(torch.float32).div_(127.5).sub_(1.0)


def to_uint8(images: torch.Tensor) -> torch.Tensor:
    """(..., 3, H, W) float in [-1, 1] to (..., H, W, 3) uint8."""
    return images.clamp(-1, 1).add(1.0).mul(127.5).round().to(torch.uint8).movedim(-3, -1)


def matte(rgb: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Set what is outside the mask to white, the background that the model knows.

    Parameters
    ----------
    rgb : (..., H, W, 3) uint8
    mask : (..., H, W) uint8, 255 on the person

    Returns
    -------
    (..., H, W, 3) uint8
    """
    alpha = mask[..., None].to(torch.float32) / 255.0
    return (rgb.to(torch.float32) * alpha + 255.0 * (1.0 - alpha)).round().to(torch.uint8)
