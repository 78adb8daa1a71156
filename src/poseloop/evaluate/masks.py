"""Body masks of generated views, from the pictures' own backgrounds: no segmentation network."""

import numpy as np


def normal_masks(normal: np.ndarray) -> np.ndarray:
    """Body masks from normal pictures.

    The background of a normal picture is 128 in every channel, a vector of length zero, and the
    body has unit vectors: the length is a soft mask.

    Parameters
    ----------
    normal : (..., S, S, 3) uint8 array

    Returns
    -------
    (..., S, S) float32 array
        In [0, 1].
    """
    vectors = normal.astype(np.float32) / 127.5 - 1
    return np.minimum(np.sqrt(np.square(vectors).sum(-1)), 1)


def colour_masks(rgb: np.ndarray, contrast: float) -> np.ndarray:
    """Body masks from colour pictures on white.

    Parameters
    ----------
    rgb : (..., S, S, 3) uint8 array
    contrast : float
        Root mean square distance from white, of 1 for black, at which a pixel is body for sure.

    Returns
    -------
    (..., S, S) float32 array
        In [0, 1].
    """
    distance = np.sqrt(np.square(1 - rgb.astype(np.float32) / 255).mean(-1))
    return np.minimum(distance / np.float32(contrast), 1)


def soft_masks(rgb: np.ndarray, normal: np.ndarray, contrast: float) -> np.ndarray:
    """Mean of `colour_masks` and `normal_masks`: a limb that one picture lost is half there.

    Parameters
    ----------
    rgb, normal : (..., S, S, 3) uint8 arrays

    Returns
    -------
    (..., S, S) float32 array
        In [0, 1].
    """
    return (colour_masks(rgb, contrast) + normal_masks(normal)) / 2
