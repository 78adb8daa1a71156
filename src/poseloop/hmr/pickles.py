"""Nested data of foreign pickles: lists and dictionaries of arrays, without running their code.

3DPW's sequences are pickled dictionaries of lists; HumanData keeps pickled dictionaries inside an
npz. Both pass the reader that knows NumPy's names and no others.
"""

import io
from pathlib import Path
from typing import BinaryIO

from poseloop.body.unpickler import RestrictedUnpickler
from poseloop.runtime.archives import read_archive
from poseloop.runtime.errors import UserError
from poseloop.runtime.files import require_file
from poseloop.runtime.refusing import refusing


def read_pickle(path: str | Path) -> dict:
    """A pickled dictionary of arrays, numbers, texts, and lists and dictionaries of them.

    Raises
    ------
    UserError
        The file is missing, is no such pickle, or names anything else.
    """
    path = require_file(path, "pickle")
    with refusing(path, "not a readable pickle"):
        content = RestrictedUnpickler(io.BytesIO(path.read_bytes()), encoding="latin1").load()
    if not isinstance(content, dict):
        raise UserError(f"{path}: not a pickled dictionary")
    return content


def read_object_npz(path: str | Path) -> dict[str, object]:
    """An npz whose members may be arrays or pickled dictionaries (HumanData).

    Raises
    ------
    UserError
        The file is missing or damaged, or a member names anything but arrays and plain data.
    """
    path = require_file(path, "npz file")
    with refusing(path, "not a readable npz file"):
        return read_archive(path, objects=_unpickled)


def _unpickled(stream: BinaryIO, shape: tuple[int, ...]) -> object:
    content = RestrictedUnpickler(stream, encoding="latin1").load()
    return content.item() if shape == () else content
