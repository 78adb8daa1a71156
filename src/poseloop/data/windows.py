"""Cutting squares out of pictures at places between pixels."""

import numpy as np
import torch
import torch.nn.functional as F


def crop_windows(pictures: np.ndarray, window: np.ndarray, background: int) -> np.ndarray:
    """The square of each picture that its window names, at the picture's own number of pixels.

    Parameters
    ----------
    pictures : (N, S, S, C) uint8
    window : (N, 3) array
        Centre (x right, y up, in [-0.5, 0.5]) and side, in picture sides.
    background : int
        Value of what lies outside the picture.

    Returns
    -------
    (N, S, S, C) uint8
        Interpolated linearly.
    """
    if not len(pictures):
        return pictures.copy()
    x, y, side = torch.from_numpy(np.asarray(window, np.float32)).unbind(-1)
    zero = torch.zeros_like(x)
    # Output to input coordinates of `grid_sample`, which run from -1 to 1, y downwards.
    read = torch.stack(
        [torch.stack([side, zero, 2 * x], -1), torch.stack([zero, side, -2 * y], -1)], 1
    )
    source = torch.from_numpy(pictures).movedim(-1, 1).float() - background
    grid = F.affine_grid(read, list(source.shape), align_corners=False)
    cropped = F.grid_sample(source, grid, align_corners=False) + background
    return cropped.round().clamp(0, 255).to(torch.uint8).movedim(1, -1).numpy()
