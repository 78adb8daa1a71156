"""glTF 2.0 files with a skeleton in motion, as Mixamo's FBX files become by any converter.

A `.glb`, or a `.gltf` with its buffers beside it or inside. Of the file only the joints' nodes and
one animation are read: rotations of all joints, the way of the root; bones keep their length
(Khronos, glTF 2.0, sections 3.6, 3.7 and 3.11).
"""

import base64
import binascii
import json
import re
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation, Slerp

from poseloop.runtime.errors import UserError
from poseloop.runtime.files import require_file
from poseloop.runtime.refusing import refusing

_MAGIC, _JSON, _BINARY = 0x46546C67, 0x4E4F534A, 0x004E4942
_COMPONENTS = {5120: "i1", 5121: "u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
_WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT4": 16}

# A hundred joints for an hour; two keys can be any time apart.
_MOST_ROTATIONS = 12_000_000


@dataclass(frozen=True)
class JointMotion:
    """A skeleton whose joint frames are parallel to the world's in the rest pose.

    Attributes
    ----------
    names : (S,) of the joints, parents before children
    parents : (S,) -1 for the root
    offsets : (S, 3) from the parent in the rest pose, world axes, the file's unit
    rotations : (T, S) local rotations; identity is the rest pose
    root : (T, 3) world position of the root
    fps : frames a second
    """

    names: list[str]
    parents: list[int]
    offsets: np.ndarray
    rotations: list[Rotation]
    root: np.ndarray
    fps: float


def read_gltf(path: Path, fps: float = 30.0, animation: str | None = None) -> JointMotion:
    """Read one animation, the first where no name is given, at a constant frame rate.

    Keys are joined by slerp, also those of a cubic spline, which converters set on every frame.

    Raises
    ------
    UserError
        The file is damaged, refers to a file outside its folder, has no such animation or no
        skeleton with one root, or its skeleton is scaled unevenly.
    """
    path = require_file(path, "glTF file")
    with refusing(path, "not a readable glTF file"):
        document, binary = _parse(path)
        return _Reader(path, document, binary).motion(fps, animation)


def _parse(path: Path) -> tuple[dict, bytes]:
    content = path.read_bytes()
    if path.suffix.lower() != ".glb":
        return json.loads(content), b""
    magic, version, _ = struct.unpack_from("<III", content)
    if magic != _MAGIC or version != 2:
        raise ValueError("no header of a binary glTF 2.0 file")
    chunks, position = {}, 12
    while position + 8 <= len(content):
        length, kind = struct.unpack_from("<II", content, position)
        chunks[kind] = content[position + 8 : position + 8 + length]
        position += 8 + length
    return json.loads(chunks[_JSON]), chunks.get(_BINARY, b"")


class _Reader:
    """The parts of one document that refer to each other by index."""

    def __init__(self, path: Path, document: dict, binary: bytes) -> None:
        self.path, self.document, self.binary = path, document, binary
        self.nodes = document["nodes"]
        self.parent = {
            child: number
            for number, node in enumerate(self.nodes)
            for child in node.get("children", [])
        }

    def buffer(self, number: int) -> bytes:
        """Bytes of a buffer: the binary chunk, a data URI, or a file of the same folder."""
        uri = self.document["buffers"][number].get("uri")
        if uri is None:
            return self.binary
        if uri.startswith("data:"):
            try:
                return base64.b64decode(uri.partition(",")[2], validate=True)
            except binascii.Error as fault:
                raise ValueError(f"buffer {number}: {fault}") from fault
        folder = self.path.parent.resolve()
        file = (folder / uri).resolve()
        if not file.is_relative_to(folder):
            raise UserError(f"{self.path}: buffer {uri!r} lies outside its folder")
        return require_file(file, "buffer").read_bytes()

    def array(self, number: int) -> np.ndarray:
        """An accessor (N, width) as float64, normalised integers in [-1, 1] or [0, 1]."""
        accessor = self.document["accessors"][number]
        if "sparse" in accessor or "bufferView" not in accessor:
            raise ValueError(f"accessor {number} is sparse, which is not read")
        view = self.document["bufferViews"][accessor["bufferView"]]
        kind = np.dtype(_COMPONENTS[accessor["componentType"]])
        width = _WIDTHS[accessor["type"]]
        count = accessor["count"]
        stride = view.get("byteStride", width * kind.itemsize)
        if count < 0 or stride < width * kind.itemsize:
            raise ValueError(f"accessor {number}: elements that lie in each other")
        values = np.ndarray(
            (count, width),
            kind,
            self.buffer(view["buffer"]),
            view.get("byteOffset", 0) + accessor.get("byteOffset", 0),
            (stride, kind.itemsize),
        )
        scale = np.iinfo(kind).max if kind.kind in "iu" and accessor.get("normalized") else 1
        return np.maximum(values.astype(np.float64) / scale, -1.0 if scale > 1 else -np.inf)

    def local(self, number: int) -> np.ndarray:
        """Transform (4, 4) of a node in its parent's frame, at rest."""
        node = self.nodes[number]
        if "matrix" in node:
            return np.array(node["matrix"], dtype=np.float64).reshape(4, 4).T
        transform = np.eye(4)
        rotation = Rotation.from_quat(node.get("rotation", [0.0, 0.0, 0.0, 1.0])).as_matrix()
        transform[:3, :3] = rotation * np.array(node.get("scale", [1.0, 1.0, 1.0]))
        transform[:3, 3] = node.get("translation", [0.0, 0.0, 0.0])
        return transform

    def world(self, number: int) -> np.ndarray:
        """Transform (4, 4) of a node at rest."""
        transform = self.local(number)
        while number in self.parent:
            number = self.parent[number]
            transform = self.local(number) @ transform
        return transform

    def ancestors(self, number: int) -> list[int]:
        """The nodes above a node, nearest first."""
        line = []
        while number in self.parent:
            number = self.parent[number]
            if number in line:
                raise ValueError("nodes form a circle")
            line.append(number)
        return line

    def joints(self, animated: set[int]) -> list[int]:
        """Nodes of the skeleton, parents first: the skin's, or the animated ones and those between.

        Raises
        ------
        UserError
            They do not hang from one root.
        """
        skins = self.document.get("skins", [])
        wanted = set(skins[0]["joints"]) if skins else set(animated)
        lines = {joint: self.ancestors(joint) for joint in wanted}
        for line in lines.values():
            highest = max((i for i, node in enumerate(line) if node in wanted), default=-1)
            wanted = wanted | set(line[: highest + 1])
        found = sorted(wanted, key=lambda joint: (len(self.ancestors(joint)), joint))
        roots = [joint for joint in found if self.parent.get(joint) not in wanted]
        if len(roots) != 1:
            raise UserError(f"{self.path}: needs a skeleton with one root, found {len(roots)}")
        return found

    def chosen(self, name: str | None) -> dict:
        """The animation of a name, or the first.

        Raises
        ------
        UserError
            There is none.
        """
        animations = self.document.get("animations", [])
        names = [animation.get("name", "") for animation in animations]
        if not animations or (name is not None and name not in names):
            what = "no animation" if name is None else f"no animation called {name!r}"
            raise UserError(f"{self.path}: {what} (it has: {', '.join(names) or 'none'})")
        return animations[0 if name is None else names.index(name)]

    def keys(self, animation: dict) -> dict[tuple[int, str], tuple[np.ndarray, np.ndarray]]:
        """Times and values of every animated node and path."""
        found = {}
        for channel in animation["channels"]:
            target, sampler = channel["target"], animation["samplers"][channel["sampler"]]
            if "node" not in target or target["path"] not in ("rotation", "translation"):
                continue
            times, values = self.array(sampler["input"])[:, 0], self.array(sampler["output"])
            if sampler.get("interpolation") == "CUBICSPLINE":
                values = values.reshape(len(times), 3, -1)[:, 1]
            if not len(times) or len(times) != len(values) or (np.diff(times) <= 0).any():
                raise ValueError(f"keys of node {target['node']} do not fit their times")
            if not (np.isfinite(times).all() and np.isfinite(values).all()):
                raise ValueError(f"keys of node {target['node']} are not finite")
            found[target["node"], target["path"]] = (times, values)
        return found

    def motion(self, fps: float, name: str | None) -> JointMotion:
        """The chosen animation of the skeleton."""
        keys = self.keys(self.chosen(name))
        if not keys:
            raise UserError(f"{self.path}: the animation moves nothing")
        joints = self.joints({node for node, path in keys if path == "rotation"})
        begin = min(times[0] for times, _ in keys.values())
        end = max(times[-1] for times, _ in keys.values())
        frames = int(np.floor((end - begin) * fps + 1e-6)) + 1
        if frames * len(joints) > _MOST_ROTATIONS:
            raise UserError(f"{self.path}: {frames} frames of {len(joints)} joints at {fps:g} fps")
        times = begin + np.arange(frames) / fps
        worlds = [self.world(joint) for joint in joints]
        rest = [_rotation(world, self.path) for world in worlds]
        parents = [
            joints.index(self.parent[joint]) if self.parent.get(joint) in joints else -1
            for joint in joints
        ]
        rotations, offsets = [], []
        for number, (joint, parent) in enumerate(zip(joints, parents, strict=True)):
            above = self.world(self.parent[joint]) if joint in self.parent else np.eye(4)
            before = _rotation(above, self.path)
            local = _sampled_rotation(keys.get((joint, "rotation")), times, self.local(joint))
            # In frames parallel to the world's at rest, what is left is the change from rest.
            rotations.append(before * local * rest[number].inv())
            start = worlds[parent][:3, 3] if parent >= 0 else np.zeros(3)
            offsets.append(worlds[number][:3, 3] - start)
        root, above = joints[0], np.eye(4)
        if root in self.parent:
            above = self.world(self.parent[root])
        way = _sampled_translation(keys.get((root, "translation")), times, self.local(root))
        return JointMotion(
            [_word(self.nodes[joint].get("name", f"joint{joint}")) for joint in joints],
            parents,
            np.stack(offsets),
            rotations,
            way @ above[:3, :3].T + above[:3, 3],
            fps,
        )


def _word(name: object) -> str:
    """A joint's name as one word of plain characters, as BVH writes it."""
    return re.sub(r"[^\w:.-]+", "_", str(name), flags=re.ASCII) or "joint"


def _rotation(transform: np.ndarray, path: Path) -> Rotation:
    """Rotation of a transform that turns, moves and scales evenly."""
    if not np.isfinite(transform).all():
        raise UserError(f"{path}: a node's transform is not finite")
    lengths = np.linalg.norm(transform[:3, :3], axis=0)
    if lengths.min() <= 0 or lengths.max() > 1.001 * lengths.min():
        raise UserError(f"{path}: the skeleton is scaled unevenly ({lengths.round(4).tolist()})")
    return Rotation.from_matrix(transform[:3, :3] / lengths)


def _sampled_rotation(
    keys: tuple[np.ndarray, np.ndarray] | None, times: np.ndarray, rest: np.ndarray
) -> Rotation:
    if keys is None:
        lengths = np.linalg.norm(rest[:3, :3], axis=0)
        return Rotation.from_matrix(np.repeat((rest[:3, :3] / lengths)[None], len(times), 0))
    known, values = keys
    if len(known) == 1:
        return Rotation.from_quat(np.repeat(values, len(times), 0))
    return Slerp(known, Rotation.from_quat(values))(times.clip(known[0], known[-1]))


def _sampled_translation(
    keys: tuple[np.ndarray, np.ndarray] | None, times: np.ndarray, rest: np.ndarray
) -> np.ndarray:
    if keys is None:
        return np.repeat(rest[None, :3, 3], len(times), 0)
    known, values = keys
    return np.stack([np.interp(times, known, column) for column in values.T], axis=1)
