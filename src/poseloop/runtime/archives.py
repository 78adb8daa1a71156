"""npz and npy files: written with the same bytes by every Python; opened, as they may come from
outside, only if what they declare is what they hold.
"""

import math
import os
import struct
import zipfile
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import BinaryIO

import numpy as np

_HEADS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}
# Longer texts are no names, and a few kilobytes of file can hold any number of them.
_WIDEST = 4096
Objects = Callable[[BinaryIO, tuple[int, ...]], object]
"""Reads a member of Python objects of some shape, from where its head ends."""


def read_archive(
    path: Path, wanted: Collection[str] | None = None, objects: Objects | None = None
) -> dict[str, np.ndarray]:
    """Arrays of an npz by name, all or those `wanted` that are there.

    A few compressed bytes can stand for any number of zeros, and a head can declare any shape: the
    sizes are compared, and their sum with the machine's memory, before an array is made.

    Parameters
    ----------
    objects
        For members of Python objects; without it they are refused. Nothing is unpickled here.

    Raises
    ------
    Exception
        Of many kinds, as NumPy and zipfile raise on damaged files; a ValueError if an array holds
        Python objects, is shorter than it declares, or all are larger than the memory.
    """
    with zipfile.ZipFile(path) as archive:
        members = {
            info.filename.removesuffix(".npy"): info
            for info in archive.infolist()
            if wanted is None or info.filename.removesuffix(".npy") in wanted
        }
        size = sum(info.file_size for info in members.values())
        if size > _memory():
            raise ValueError(f"holds {size / 2**30:.0f} GiB, more than this machine's memory")
        arrays = {}
        for name, info in members.items():
            with archive.open(info) as stream:
                shape, dtype = _head(stream)
                if dtype.hasobject and objects is not None:
                    arrays[name] = objects(stream, shape)
                    continue
                _check(name, shape, dtype, info.file_size)
            with archive.open(info) as stream:
                arrays[name] = np.lib.format.read_array(stream, allow_pickle=False)
    return arrays


def write_archive(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write arrays as NumPy's `savez_compressed` does, in their order, with the same bytes whatever
    the Python.

    Raises
    ------
    ValueError
        An array holds Python objects.
    """
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in arrays.items():
            member = _Member(f"{name}.npy")
            member.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(member, "w", force_zip64=True) as stream:
                np.lib.format.write_array(stream, array, allow_pickle=False)


class _Member(zipfile.ZipInfo):
    """A member with the header that Python 3.10.12, 3.11.4 and later write; before, one of the form
    for large files held the sizes of a small member in two places and another version.
    """

    def FileHeader(self, zip64: bool | None = None) -> bytes:  # noqa: N802 (zipfile's name)
        header = bytearray(super().FileHeader(zip64))
        self.extract_version = self.create_version = zipfile.ZIP64_VERSION
        struct.pack_into("<B", header, 4, zipfile.ZIP64_VERSION)
        struct.pack_into("<2L", header, 18, 0xFFFFFFFF, 0xFFFFFFFF)
        return bytes(header)


def read_numbers(path: Path) -> np.ndarray:
    """The array of an npy; nothing is unpickled.

    Raises
    ------
    Exception
        As `read_archive`.
    """
    with open(path, "rb") as stream:
        _check(path.name, *_head(stream), path.stat().st_size)
        stream.seek(0)
        return np.lib.format.read_array(stream, allow_pickle=False)


def _head(stream: BinaryIO) -> tuple[tuple[int, ...], np.dtype]:
    shape, _, dtype = _HEADS[np.lib.format.read_magic(stream)](stream)
    return shape, dtype


def _check(name: str, shape: tuple[int, ...], dtype: np.dtype, size: int) -> None:
    """Refuse an array whose head declares objects, huge texts, or more bytes than there are."""
    if dtype.hasobject:
        raise ValueError(f"{name} holds Python objects")
    if dtype.itemsize > _WIDEST:
        raise ValueError(f"{name} holds entries of {dtype.itemsize} bytes")
    declared = math.prod(shape) * max(dtype.itemsize, 1)
    if min(shape, default=0) < 0 or declared > size:
        raise ValueError(f"{name} declares {declared} bytes of {size}")


def _memory() -> int:
    """Bytes of memory of the machine."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
