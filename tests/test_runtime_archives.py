"""npz files have the same bytes whatever the Python that wrote them."""

import struct
import zipfile

import numpy as np
import pytest

from poseloop.runtime.files import read_npz, write_npz

ARRAYS = {"b": np.arange(1000.0), "a": np.array(["x", "yy"]), "c": np.zeros((0, 3), np.uint8)}


def test_arrays_come_back(tmp_path):
    write_npz(tmp_path / "x.npz", ARRAYS)
    read = read_npz(tmp_path / "x.npz")
    assert list(read) == ["a", "b", "c"]
    assert all(np.array_equal(read[name], array) for name, array in ARRAYS.items())
    assert all(read[name].dtype == array.dtype for name, array in ARRAYS.items())


def test_heads_have_one_form(tmp_path):
    """Python before 3.10.12 and 3.11.4 by itself writes version 20 and the sizes here."""
    write_npz(tmp_path / "x.npz", ARRAYS)
    content = (tmp_path / "x.npz").read_bytes()
    with zipfile.ZipFile(tmp_path / "x.npz") as archive:
        members = archive.infolist()
    for member in members:
        version, compressed, size = struct.unpack_from("<B13x2L", content, member.header_offset + 4)
        assert (version, compressed, size) == (45, 0xFFFFFFFF, 0xFFFFFFFF)
        assert (member.extract_version, member.create_version) == (45, 45)
        assert member.date_time == (1980, 1, 1, 0, 0, 0)


def test_python_objects_are_refused_and_nothing_is_left(tmp_path):
    with pytest.raises(ValueError, match="Object arrays"):
        write_npz(tmp_path / "x.npz", {"a": np.arange(3), "b": np.array([{}, None])})
    assert list(tmp_path.iterdir()) == []
