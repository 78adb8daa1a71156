"""Pictures inside the page: strips of views per subject, and files as data URLs."""

import base64
import io
from pathlib import Path

import numpy as np
from PIL import Image

from poseloop.runtime.files import require_file


def data_url(data: bytes, kind: str = "image/png") -> str:
    """Bytes as a URL that holds them."""
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def file_url(path: str | Path) -> str:
    """A PNG file as a data URL.

    Raises
    ------
    UserError
        The file is missing.
    """
    return data_url(require_file(path, "figure").read_bytes())


def picture_url(picture: np.ndarray) -> str:
    """A picture (H, W, 3) uint8 as a data URL."""
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, "png", optimize=True)
    return data_url(stream.getvalue())


def views_strip(rgb: np.ndarray, normal: np.ndarray) -> np.ndarray:
    """Views side by side, colours above normals.

    Parameters
    ----------
    rgb, normal : (K, S, S, 3) uint8 arrays

    Returns
    -------
    (2 S, K S, 3) uint8 array
    """
    return np.concatenate([np.concatenate(list(views), 1) for views in (rgb, normal)])
