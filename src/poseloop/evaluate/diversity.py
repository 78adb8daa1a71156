"""How much samples of one subject differ between seeds."""

from itertools import combinations

import numpy as np

from poseloop.evaluate.images import mask_iou
from poseloop.evaluate.masks import normal_masks


def seed_diversity(normals: np.ndarray, level: float) -> dict[str, list[float]]:
    """Spread over seeds of each subject's views other than the input.

    A method that answers every noise with one picture has lost the ambiguity of an unseen side;
    reward fine-tuning is known to do that (fact sheet 5), so a gain must be read beside this.

    Parameters
    ----------
    normals : (M, N, K, S, S, 3) uint8 array
        M seeds of N subjects; view 0 is the input view.
    level : float
        Mask value from which a pixel is body.

    Returns
    -------
    dict of N values
        `diversity_normal`: standard deviation over seeds of the normals' components in [-1, 1],
        mean over the pixels that any seed fills; `diversity_mask`: 1 - IoU of two seeds' masks,
        mean over pairs and views. One seed has no spread: zeros.
    """
    table: dict[str, list[float]] = {"diversity_normal": [], "diversity_mask": []}
    for pictures in normals[:, :, 1:].swapaxes(0, 1):
        masks = normal_masks(pictures)
        filled = (masks >= level).any(0)
        spread = pictures.astype(np.float32).std(0).mean(-1) / 127.5
        table["diversity_normal"].append(float(spread[filled].mean()) if filled.any() else 0.0)
        overlaps = [
            mask_iou(masks[a, view], masks[b, view], level)
            for a, b in combinations(range(len(masks)), 2)
            for view in range(masks.shape[1])
        ]
        table["diversity_mask"].append(1 - float(np.mean(overlaps)) if overlaps else 0.0)
    return table
