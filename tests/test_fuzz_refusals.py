"""Files made to fill the memory, to last for ever or to lead elsewhere: refused with a message."""

import io
import json
import pickle
import struct
import time
import zipfile
import zlib

import numpy as np
import pytest
import torch
from fuzz.table import READERS, made
from PIL import Image
from test_motion_gltf import write_glb
from tiny_motion import bvh_text

from poseloop.body.safe_pickle import read_pickled_arrays
from poseloop.hmr.annotations import cut_pixels, open_picture
from poseloop.hmr.images import Window, cut
from poseloop.hmr.pickles import read_object_npz
from poseloop.hmr.preferences import read_preferences
from poseloop.motion.bvh import read_bvh
from poseloop.motion.gltf import read_gltf
from poseloop.multiview.loading import load_autoencoder
from poseloop.posegen.real.crops import inside
from poseloop.runtime import archives
from poseloop.runtime.errors import UserError
from poseloop.runtime.files import read_json, read_npz
from poseloop.runtime.study import assets_of
from poseloop.runtime.weights import read_weights, write_weights
from poseloop.runtime.yaml_files import read_yaml


def put_at(place):
    """A pickle of a few bytes that remembers a value at a far place."""
    return b"\x80\x02}r" + struct.pack("<I", place) + b"."


def nest(first, depth=60):
    """Lists in lists, each twice in the next: 2 to the depth once written out."""
    for _ in range(depth):
        first = [first, first]
    return first


def keys(depth=60):
    """The same of tuples as the key of a dictionary; built by hand, for hashing takes for ever."""
    return b"\x80\x02}(K\x01" + b"2\x86" * depth + b"K\x01u."


def empty_array(shape):
    """An array of a shape without data for it."""
    call = np.empty(0).__reduce__()[0]

    class Array:
        def __reduce__(self):
            return call, (np.ndarray, shape, b"b")

    return pickle.dumps({"a": Array()})


def array_with(state):
    """An array with a state of the file's choice."""

    class Array:
        def __reduce__(self):
            return np.empty(0).__reduce__()[0], (np.ndarray, (0,), b"b"), state

    return pickle.dumps({"a": Array()})


@pytest.mark.parametrize(
    "data",
    [
        pickle.dumps({"a": nest(1)}),
        keys(),
        array_with((1, (2**40,), np.dtype("f8"), False, b"12345678")),
        array_with((1, (-1,), np.dtype("f8"), False, b"12345678")),
        array_with((1, (2,), np.dtype(object), False, [1])),
        b"\x80\x05}\x8c\x01a\x96" + struct.pack("<Q", 2**40) + b"abcs.",
        b"cnumpy\nndarray\n(I1000000000\nI3\nl(\x8a\x01\x00tR.",
    ],
)
def test_a_pickle_takes_no_more_than_it_holds(data, tmp_path):
    path = tmp_path / "body.pkl"
    path.write_bytes(data)
    begun = time.process_time()
    with pytest.raises(UserError, match=r"body\.pkl: not a readable body pickle"):
        read_pickled_arrays(path)
    assert time.process_time() - begun < 2


def test_places_and_shapes_of_a_pickle_reserve_nothing(tmp_path):
    path = tmp_path / "body.pkl"
    path.write_bytes(put_at(2**31 - 1))
    assert read_pickled_arrays(path) == {}
    path.write_bytes(empty_array((2**40,)))
    assert read_pickled_arrays(path)["a"].size == 0


def write_members(path, members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)


def npy(array):
    stream = io.BytesIO()
    np.lib.format.write_array(stream, array)
    return stream.getvalue()


@pytest.mark.parametrize("read", [read_npz, read_object_npz])
def test_a_zip_that_climbs_out_writes_nothing(read, tmp_path):
    inside = tmp_path / "inside"
    inside.mkdir()
    path = inside / "set.npz"
    write_members(path, {"../evil.npy": npy(np.zeros(3)), "/evil.npy": npy(np.zeros(3))})
    before = sorted(tmp_path.rglob("*"))
    read(path)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("read", [read_npz, read_object_npz])
def test_an_npz_that_declares_more_than_it_holds_is_refused(read, tmp_path):
    stream = io.BytesIO()
    head = {"descr": "<f8", "fortran_order": False, "shape": (2**33,)}
    np.lib.format.write_array_header_1_0(stream, head)
    write_members(tmp_path / "set.npz", {"a.npy": stream.getvalue()})
    with pytest.raises(UserError, match=r"set\.npz: not a readable npz file \(a declares"):
        read(tmp_path / "set.npz")


def test_a_zip_of_zeros_larger_than_the_memory_is_refused(tmp_path, monkeypatch):
    write_members(tmp_path / "set.npz", {"a.npy": npy(np.zeros(2**17))})
    assert read_npz(tmp_path / "set.npz")["a"].size == 2**17
    monkeypatch.setattr(archives, "_memory", lambda: 2**19)
    with pytest.raises(UserError, match="more than this machine's memory"):
        read_npz(tmp_path / "set.npz")


@pytest.mark.parametrize("read", [read_npz, read_object_npz])
def test_an_npz_of_huge_texts_is_refused_unread(read, tmp_path):
    write_members(tmp_path / "set.npz", {"a.npy": npy(np.array(["b" * 1025]))})
    with pytest.raises(UserError, match="a holds entries of 4100 bytes"):
        read(tmp_path / "set.npz")


def png(width, height):
    """A PNG of some hundred bytes that declares any size."""

    def chunk(kind, body):
        check = struct.pack(">I", zlib.crc32(kind + body))
        return struct.pack(">I", len(body)) + kind + body + check

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(999))) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


PICTURES = [name for name in READERS if name.startswith("picture") or "texture" in name]


@pytest.mark.parametrize("name", [*PICTURES, "real-picture"])
@pytest.mark.parametrize("size", [(20_000, 20_000), (2**31 - 1, 2**31 - 1), (9000, 9000)])
def test_an_image_bomb_is_refused(name, size, tmp_path):
    reader, case, path = made(name, tmp_path)
    path.write_bytes(png(*size))
    with pytest.raises(UserError, match=f"{path.name}: .*pixel|not a readable picture"):
        reader.read(case)


@pytest.mark.parametrize("name", [*PICTURES, "real-picture"])
def test_a_picture_that_a_program_would_have_to_draw_is_refused(name, tmp_path, monkeypatch):
    reader, case, path = made(name, tmp_path)
    Image.new("RGB", (8, 8)).save(path, "EPS")
    monkeypatch.setattr("subprocess.Popen", lambda *_, **__: pytest.fail("ran a program"))
    with pytest.raises(UserError, match="not a readable picture"):
        reader.read(case)


def test_a_thin_picture_is_not_made_square(tmp_path):
    Image.new("RGB", (60_000, 30)).save(tmp_path / "long.png")
    picture = open_picture(tmp_path, "long.png")
    assert cut_pixels(picture, np.array([30_000.0, 15]), 30.0, 16).shape == (16, 16, 3)
    with pytest.raises(ValueError, match="a person of 60000 pixels"):
        cut_pixels(picture, np.array([30_000.0, 15]), 60_000.0, 16)


def test_a_cut_is_that_of_the_padded_square():
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 255, (30, 50, 3), dtype=np.uint8)
    square = np.pad(picture, ((0, 20), (0, 0), (0, 0)), mode="edge")
    for middle, side in (((25, 15), 20.0), ((10.3, 22.8), 33.3), ((1, 1), 47.5), ((49, 2), 90.0)):
        centre = (np.array(middle) / 50 - 0.5) * [1, -1]
        expected = cut(square, Window(centre, side / 50), 16).astype(int)
        found = cut_pixels(picture, np.array(middle), side, 16).astype(int)
        assert np.abs(found - expected).max() <= 1


def manifest_of(case, name):
    path = case / "manifest.json"
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | {"shards": {name: "0" * 64}}))


@pytest.mark.parametrize("name", ["../shard0.npz", "/etc/passwd", "a/../../b.npz", "..", "", "x\0"])
def test_a_path_in_a_manifest_stays_in_its_folder(name, tmp_path):
    _, case, _ = made("preferences-manifest", tmp_path)
    (tmp_path / "shard0.npz").write_bytes((case / "shard0.npz").read_bytes())
    manifest_of(case, name)
    with pytest.raises(UserError, match=r"manifest\.json|shard"):
        read_preferences(case / "manifest.json", case / "base.safetensors")


def test_a_link_beside_a_manifest_stays_in_its_folder(tmp_path):
    _, case, _ = made("preferences-manifest", tmp_path)
    (tmp_path / "secret.npz").write_bytes((case / "shard0.npz").read_bytes())
    (case / "link.npz").symlink_to(tmp_path / "secret.npz")
    manifest_of(case, "link.npz")
    with pytest.raises(UserError, match="link.npz' is not beside the manifest"):
        read_preferences(case / "manifest.json", case / "base.safetensors")


@pytest.mark.parametrize("name", ["../secret.png", "/etc/passwd", "x\0y", "x" * 5000])
def test_a_picture_named_by_labels_stays_in_its_folder(name, tmp_path):
    (tmp_path / "pictures").mkdir()
    Image.new("RGB", (8, 8)).save(tmp_path / "secret.png")
    with pytest.raises(UserError, match="leads out|no file can have|not a readable picture"):
        open_picture(tmp_path / "pictures", name)
    with pytest.raises(UserError, match="leads out|no file can have"):
        inside(tmp_path / "pictures", name, tmp_path / "labels.npz")


@pytest.mark.parametrize("settings", [{"channels": [2**30, 2**30]}, {"blocks": 2**40}])
def test_settings_of_a_huge_model_are_refused(settings, tmp_path):
    reader, case, path = made("weights-autoencoder", tmp_path)
    state, metadata = read_weights(path)
    write_weights(path, state, {"autoencoder": metadata["autoencoder"] | settings})
    with pytest.raises(UserError, match=r"model\.safetensors: its settings do not make a model"):
        load_autoencoder(path, torch.device("cpu"))


def replaced(text, old, new):
    assert old in text
    return text.replace(old, new, 1)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("CHANNELS 6", "CHANNELS -2", "a joint of -2 channels"),
        ("OFFSET 0 0 0", "OFFSET nan 0 0", "not finite"),
        ("HIERARCHY", "HIERARCHY" + " JOINT a OFFSET 0 0 0" * 1200, "malformed|joints, more than"),
        ("Frames: 5", "Frames: 99999999999", "MOTION has"),
    ],
)
def test_a_bvh_that_would_not_end_is_refused(old, new, message, tmp_path):
    path = tmp_path / "walk.bvh"
    path.write_text(replaced(bvh_text(), old, new))
    with pytest.raises(UserError, match=message):
        read_bvh("walk", path)


def changed_gltf(path, change):
    write_glb(path, rest=0.3)
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))


def lie_in_each_other(document):
    document["bufferViews"][0]["byteStride"] = 0
    document["accessors"][0]["count"] = 2**40


def circle(document):
    document["nodes"][5]["children"] = [0]


@pytest.mark.parametrize(
    ("change", "message"), [(lie_in_each_other, "lie in each other"), (circle, "circle|one root")]
)
def test_a_gltf_that_would_not_end_is_refused(change, message, tmp_path):
    path = tmp_path / "walk.gltf"
    changed_gltf(path, change)
    with pytest.raises(UserError, match=message):
        read_gltf(path)


def test_keys_a_year_apart_are_refused(tmp_path):
    path = tmp_path / "walk.gltf"
    write_glb(path, rest=0.3)
    with pytest.raises(UserError, match="frames of .* joints"):
        read_gltf(path, fps=1e9)


LAUGHS = "a: &a [x, x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [*{chr(97 + n)}, *{chr(97 + n)}]\n" for n in range(24)
)


@pytest.mark.parametrize("text", [LAUGHS, "a: &a [*a]\n", "a: &a {path: *a}\n", "[" * 50_000])
def test_yaml_that_would_not_end_is_refused(text, tmp_path):
    path = tmp_path / "x.yaml"
    path.write_text(text)
    for read in (lambda: read_yaml(path, "config file"), lambda: assets_of(path)):
        with pytest.raises(UserError, match=r"x\.yaml: not valid YAML"):
            read()


@pytest.mark.parametrize("text", ["[" * 200_000, "1" * 10_000, '{"a": ', "\ufeff{}"])
def test_json_that_python_cannot_take_is_refused(text, tmp_path):
    path = tmp_path / "x.json"
    path.write_text(text)
    with pytest.raises(UserError, match=r"x\.json: not valid JSON"):
        read_json(path)
