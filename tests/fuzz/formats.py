"""Structure-aware damage by a file's suffix: decode, damage the tree, encode again."""

import io
import json
import pickle
import random
import struct
import zipfile
import zlib

import numpy as np
import pandas as pd
import torch
import yaml
from PIL import Image
from safetensors.torch import load, save

from fuzz.damage import damage
from fuzz.trees import damage_array, damage_tree

# libyaml's take a tenth of the time, and not every wheel has them.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class _Evil:
    """Pickles as a call of `os.system`; the guard reports the call if a reader makes it."""

    def __reduce__(self):
        import os

        return os.system, ("exit 0",)


def _json(data, rng):
    text = json.dumps(damage_tree(json.loads(data), rng))
    if rng.random() < 0.02:
        text = "[" * 100_000 + text
    return text.encode("utf-8", "surrogatepass")


def _yaml(data, rng):
    tree = damage_tree(yaml.load(data, _LOADER), rng)
    text = yaml.dump(tree, Dumper=_DUMPER, allow_unicode=rng.random() < 0.5)
    return text.encode("utf-8", "replace")


def _npy(array, rng):
    """An npy file, at times with a head that does not fit, or of pickled objects."""
    if rng.random() < 0.1:
        shape = rng.choice(((2**33,), (2**62, 4), (-1,), (10**4, 10**4, 3), (2**26,), (3, 2**24)))
        head = {
            "descr": rng.choice(("<f4", "|u1", "<f8", "|O", "<U100000")),
            "fortran_order": False,
            "shape": shape,
        }
        stream = io.BytesIO()
        np.lib.format.write_array_header_1_0(stream, head)
        return stream.getvalue() + rng.randbytes(64)
    if rng.random() < 0.04:
        array = np.array(_Evil(), dtype=object)
    stream = io.BytesIO()
    np.lib.format.write_array(stream, np.asarray(array), allow_pickle=True)
    return stream.getvalue()


def _npz(data, rng):
    with np.load(io.BytesIO(data), allow_pickle=True) as archive:
        arrays = {name: archive[name] for name in archive.files}
    arrays = {n: v.item() if v.dtype.hasobject and v.shape == () else v for n, v in arrays.items()}
    arrays = damage_tree(arrays, rng)
    stream = io.BytesIO()
    kind = zipfile.ZIP_DEFLATED if rng.random() < 0.1 else zipfile.ZIP_STORED
    with zipfile.ZipFile(stream, "w", kind) as archive:
        for name, array in arrays.items():
            if isinstance(array, dict):
                array = np.array(array, dtype=object)
            try:
                member = _npy(array, rng)
            except (ValueError, TypeError, OverflowError):
                member = b""
            archive.writestr(f"{rng.choice(('', '', '', '', '', '../'))}{name}.npy", member)
    return stream.getvalue()


def _npy_file(data, rng):
    return _npy(damage_array(np.load(io.BytesIO(data)), rng), rng)


def _pickle(data, rng):
    whole = pickle.loads(data)  # our own file
    if isinstance(whole, pd.DataFrame):
        tree = damage_tree({name: list(whole[name]) for name in whole}, rng)
        return pickle.dumps(_frame(tree), protocol=5)
    tree = damage_tree(whole, rng)
    if isinstance(tree, dict) and rng.random() < 0.04:
        tree[rng.choice(list(tree) or ["a"])] = _Evil()
    return pickle.dumps(tree, protocol=rng.choice((0, 2, 4, 5)))


def _frame(tree):
    columns = {
        name: pd.Series(value if isinstance(value, list) else [value], dtype=object)
        for name, value in tree.items()
    }
    frame = pd.DataFrame(columns)
    frame.columns = frame.columns.astype(object)
    return frame


def _tensors(data, rng):
    """Safetensors: other tensors, other settings beside them, or a head that does not fit."""
    size = struct.unpack("<Q", data[:8])[0]
    head = json.loads(data[8 : 8 + size])
    if rng.random() < 0.4:
        settings = head.get("__metadata__", {})
        if "config" in settings and rng.random() < 0.7:
            settings["config"] = json.dumps(damage_tree(json.loads(settings["config"]), rng))
        else:
            head = damage_tree(head, rng)
        text = json.dumps(head).encode("utf-8", "surrogatepass")
        return struct.pack("<Q", len(text)) + text + data[8 + size :]
    tensors = {name: tensor.numpy() for name, tensor in load(data).items()}
    tensors = _only_arrays(damage_tree(tensors, rng))
    return save(tensors, head.get("__metadata__"))


def _only_arrays(tree):
    return {
        str(name): torch.from_numpy(value.copy(order="C"))
        for name, value in tree.items()
        if isinstance(value, np.ndarray) and value.dtype.kind in "iufb" and value.dtype != "u8"
    }


def _torch(data, rng):
    content = torch.load(io.BytesIO(data), weights_only=True)
    if isinstance(content, torch.Tensor):
        made = torch.from_numpy(_forward(_plain(damage_array(content.numpy(), rng))))
    else:
        tree = damage_tree({name: value.numpy() for name, value in content.items()}, rng)
        made = {
            name: torch.from_numpy(_forward(value))
            if isinstance(value, np.ndarray) and value.dtype.kind in "iufb"
            else value
            for name, value in tree.items()
        }
    if rng.random() < 0.04:
        made = {"a": _Evil()}
    stream = io.BytesIO()
    torch.save(made, stream)
    return stream.getvalue()


def _forward(array):
    """PyTorch knows no strides that run backwards; one number for many places stays one."""
    return np.ascontiguousarray(array) if min(array.strides, default=0) < 0 else array


def _plain(array):
    return array if array.dtype.kind in "iufb" else np.zeros(array.shape, np.float32)


def _glb(data, rng):
    length = struct.unpack_from("<I", data, 12)[0]
    text = json.dumps(damage_tree(json.loads(data[20 : 20 + length]), rng))
    text = text.encode("utf-8", "surrogatepass")
    body = struct.pack("<II", len(text), 0x4E4F534A) + text + data[20 + length :]
    return struct.pack("<III", 0x46546C67, 2, 12 + len(body)) + body


_MODES = ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "I", "F", "I;16", "HSV", "LAB")
_SAVED_AS = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM", "TGA", "ICO", "EPS", "PDF", "SGI")


def _image(data, rng):
    """Another mode, size or format under the same name, or a PNG that declares another size."""
    if rng.random() < 0.3:
        return _declared(rng)
    image = Image.open(io.BytesIO(data))
    image.load()
    if rng.random() < 0.5:
        size = rng.choice(((1, 1), (1, 3000), (3000, 1), (2, 2), (400, 30), image.size))
        image = image.resize(size, Image.Resampling.NEAREST)
    stream = io.BytesIO()
    try:
        image.convert(rng.choice(_MODES)).save(stream, rng.choice(_SAVED_AS))
    except (OSError, ValueError, KeyError, SystemError):
        return damage(data, rng)
    return stream.getvalue()


def _declared(rng):
    """A PNG of a few bytes whose head declares any size."""

    def chunk(kind, body):
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    sides = (0, 1, 30, 3000, 13_000, 20_000, 65_535, 2**20, 2**31 - 1)
    width, height = rng.choice(sides), rng.choice(sides)
    depth, colour = rng.choice(((8, 2), (8, 6), (8, 0), (16, 2), (1, 0), (8, 3)))
    pixels = zlib.compress(b"\0" * rng.choice((10, 10_000)))
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    parts = chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


FORMATS = {
    ".json": _json,
    ".gltf": _json,
    ".txt": _json,  # DeepMimic's clips
    ".yaml": _yaml,
    ".npz": _npz,
    ".npy": _npy_file,
    ".pkl": _pickle,
    ".safetensors": _tensors,
    ".pt": _torch,
    ".bin": _torch,
    ".glb": _glb,
    ".png": _image,
    ".jpg": _image,
    ".jpeg": _image,
}


def damaged(data: bytes, suffix: str, rng: random.Random) -> bytes:
    """Half of the inputs are damaged in their structure where the format is known."""
    if suffix in FORMATS and rng.random() < 0.5:
        try:
            return FORMATS[suffix](data, rng)
        except Exception:  # not every damaged tree can be written in its format
            return damage(data, rng)
    return damage(data, rng)
