"""Readers of pictures: a user's own photograph, frames of a generator, folders of views."""

import numpy as np
from PIL import Image

from fuzz.reader import Reader
from poseloop.data.frames import fit_frame
from poseloop.hmr.recover import crop_of_user
from poseloop.reconstruct.pictures import read_views

_AZIMUTHS = (0.0, 90.0)


def _pixels(channels=3):
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 255, (30, 40, channels), dtype=np.uint8)
    if channels == 4:
        pixels[:5, :, 3] = 0
    return Image.fromarray(pixels)


def _photo(suffix):
    def make(folder):
        _pixels().save(folder / f"photo.{suffix}")

    def read(folder):
        return crop_of_user(folder / f"photo.{suffix}", None, None, 32)

    return make, read


def _frame(folder):
    _pixels(4).save(folder / "0001_00.png")


def _frame_and_mask(folder):
    _pixels().save(folder / "0001_00.png")
    _pixels(4).getchannel(3).save(folder / "0001_00_mask.png")


def _read_frame(folder):
    return fit_frame(folder / "0001_00.png", 0.7, 32)


def _views(folder):
    (folder / "subject").mkdir()
    for kind in ("normal", "rgb"):
        for azimuth in _AZIMUTHS:
            _pixels().save(folder / f"subject/{kind}_{azimuth:03.0f}.png")


READERS = (
    Reader("picture-photo-png", *_photo("png"), ("*.png",)),
    Reader("picture-photo-jpeg", *_photo("jpg"), ("*.jpg",)),
    Reader("picture-frame", _frame, _read_frame, ("*.png",)),
    Reader("picture-frame-mask", _frame_and_mask, _read_frame, ("*.png",)),
    Reader("picture-views", _views, lambda folder: read_views(folder, _AZIMUTHS), ("*/*.png",)),
)
