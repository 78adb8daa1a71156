"""Nested data of foreign pickles: lists and dictionaries of arrays, without running their code.

3DPW's sequences are pickled dictionaries of lists; HumanData keeps pickled dictionaries inside an
npz. Both pass the reader that knows NumPy's names and no others.
"""

import io
import zipfile
from pathlib import Path

import numpy as np

from poseloop.body.safe_pickle import RestrictedUnpickler
from poseloop.runtime.errors import UserError
from poseloop.runtime.files import require_file


def read_pickle(path: str | Path) -> dict:
    """A pickled dictionary of arrays, numbers, texts, and lists and dictionaries of them.

    Raises
    ------
    UserError
        The file is missing, is no such pickle, or names anything else.
    """
    path = require_file(path, "pickle")
    try:
        content = RestrictedUnpickler(io.BytesIO(path.read_bytes()), encoding="latin1").load()
    except Exception as fault:  # a damaged pickle can raise anything
        raise UserError(f"{path}: not a readable pickle ({fault})") from fault
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
    try:
        with zipfile.ZipFile(path) as archive:
            return {
                name.removesuffix(".npy"): _member(archive.read(name))
                for name in archive.namelist()
                if name.endswith(".npy")
            }
    except Exception as fault:  # as above
        raise UserError(f"{path}: not a readable npz file ({fault})") from fault


def _member(data: bytes) -> object:
    stream = io.BytesIO(data)
    version = np.lib.format.read_magic(stream)
    header = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    shape, _, dtype = header[version](stream)
    if not dtype.hasobject:
        stream.seek(0)
        return np.lib.format.read_array(stream, allow_pickle=False)
    content = RestrictedUnpickler(stream, encoding="latin1").load()
    return content.item() if shape == () else content
