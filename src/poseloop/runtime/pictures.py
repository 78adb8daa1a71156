"""Opening pictures from outside: known formats only, and none larger than the memory allows."""

import warnings
from pathlib import Path

from PIL import Image

from poseloop.runtime.errors import UserError
from poseloop.runtime.refusing import refusing

LARGEST_PIXELS = 8192 * 8192
"""Pixels of the largest picture that is read: the largest textures of scans have as many."""
# Pillow knows formats that run a program (EPS) or that nobody has pictures of people in.
_FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF", "PPM", "MPO")


def read_picture(path: str | Path, mode: str | None = None) -> Image.Image:
    """A picture, decoded; in `mode` (Pillow's name), or in its own where None is given.

    Raises
    ------
    UserError
        The file is missing, damaged, of another format, or declares too many pixels.
    """
    with refusing(path, "not a readable picture"), warnings.catch_warnings():
        # Pillow warns of what is refused here anyway.
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        with Image.open(path, formats=_FORMATS) as picture:
            width, height = picture.size
            if width * height > LARGEST_PIXELS:
                raise UserError(
                    f"{path}: declares {width} x {height} pixels, more than {LARGEST_PIXELS}"
                )
            picture.load()
            return picture.convert(mode) if mode else picture.copy()
