"""Animated glTF files: read, written as BVH, and read again."""

import base64
import json
import struct
import subprocess
import sys

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from poseloop.motion.bvh import read_bvh
from poseloop.motion.bvh_writer import bvh_text
from poseloop.motion.gltf import read_gltf
from poseloop.runtime.errors import UserError

# Mixamo's names: parent, position from it in the rest pose (centimetres, y up).
SKELETON = {
    "Hips": (None, (0, 100, 0)),
    "Spine": ("Hips", (0, 10, 0)),
    "Neck": ("Spine", (0, 40, 0)),
    "Head": ("Neck", (0, 10, 0)),
} | {
    side + name: (parent if parent in ("Hips", "Spine") else side + parent, (sign * x, y, z))
    for side, sign in (("Left", 1), ("Right", -1))
    for name, parent, (x, y, z) in (
        ("UpLeg", "Hips", (9, -5, 0)),
        ("Leg", "UpLeg", (0, -42, 0)),
        ("Foot", "Leg", (0, -42, 0)),
        ("ToeBase", "Foot", (0, -5, 14)),
        ("Shoulder", "Spine", (6, 35, 0)),
        ("Arm", "Shoulder", (12, 0, 0)),
        ("ForeArm", "Arm", (27, 0, 0)),
        ("Hand", "ForeArm", (26, 0, 0)),
    )
}
TIMES = np.array([0.0, 0.5, 1.0], dtype=np.float32)


def write_glb(path, rest=None, armature=None, uri=None, animation="walk", skeleton=SKELETON):
    """A made file; `rest` turns every joint's own frame, as Mixamo's bones are turned.

    Returns world positions (3, S, 3) of the joints at the keys, in the file's order.
    """
    rng = np.random.default_rng(0)
    names = list(skeleton)
    frames = {name: Rotation.from_rotvec(rest * rng.normal(size=3)) for name in names}
    turns = {name: Rotation.from_rotvec(0.3 * rng.normal(size=(3, 3))) for name in names}
    way = np.array([[0, 100, 0], [5, 98, 10], [9, 101, 22]], dtype=np.float64)
    nodes, binary, views, accessors, channels, samplers = [], b"", [], [], [], []

    def add(values, kind):
        nonlocal binary
        data = np.asarray(values, dtype="<f4").tobytes()
        views.append({"buffer": 0, "byteOffset": len(binary), "byteLength": len(data)})
        accessors.append(
            {
                "bufferView": len(views) - 1,
                "componentType": 5126,
                "count": len(values),
                "type": kind,
            }
        )
        binary += data
        return len(accessors) - 1

    clock = add(TIMES[:, None], "SCALAR")
    worlds = {}
    for number, name in enumerate(names):
        parent, offset = skeleton[name]
        above = frames[parent] if parent else Rotation.identity()
        children = [i for i, child in enumerate(names) if skeleton[child][0] == name]
        nodes.append(
            {
                "name": f"mixamorig:{name}",
                "translation": above.inv().apply(offset).tolist(),
                "rotation": (above.inv() * frames[name]).as_quat().tolist(),
                "children": children,
            }
        )
        # `turns` are in frames parallel to the world's.
        local = above.inv() * turns[name] * frames[name]
        for route, kind, values in [
            ("rotation", "VEC4", local.as_quat()),
            *([("translation", "VEC3", way)] if parent is None else []),
        ]:
            samplers.append({"input": clock, "output": add(values, kind)})
            channels.append(
                {"sampler": len(samplers) - 1, "target": {"node": number, "path": route}}
            )
        if parent is None:
            worlds[name] = (turns[name], way)
        else:
            turn, place = worlds[parent]
            worlds[name] = (turn * turns[name], place + turn.apply(np.tile(offset, (3, 1))))
    roots = [0]
    positions = np.stack([worlds[name][1] for name in names], axis=1)
    if armature is not None:
        turn, scale = armature
        nodes.append(
            {
                "name": "Armature",
                "rotation": turn.as_quat().tolist(),
                "scale": [scale] * 3,
                "children": [0],
            }
        )
        roots = [len(nodes) - 1]
        positions = scale * turn.apply(positions.reshape(-1, 3)).reshape(positions.shape)
    document = {
        "asset": {"version": "2.0"},
        "scenes": [{"nodes": roots}],
        "nodes": nodes,
        "animations": [{"name": animation, "channels": channels, "samplers": samplers}],
        "accessors": accessors,
        "bufferViews": views,
        "buffers": [{"byteLength": len(binary)} | ({"uri": uri} if uri else {})],
    }
    if path.suffix == ".gltf":
        if uri is None:
            data = base64.b64encode(binary).decode()
            document["buffers"][0]["uri"] = f"data:application/octet-stream;base64,{data}"
        path.write_text(json.dumps(document))
        return positions
    text = json.dumps(document).encode()
    text += b" " * (-len(text) % 4)
    body = struct.pack("<II", len(text), 0x4E4F534A) + text
    body += struct.pack("<II", len(binary), 0x004E4942) + binary
    path.write_bytes(struct.pack("<III", 0x46546C67, 2, 12 + len(body)) + body)
    return positions


def joints_of_bvh(path):
    motion = read_bvh("clip", path)
    return motion, motion.forward()[1].numpy()


@pytest.mark.parametrize("suffix", [".glb", ".gltf"])
@pytest.mark.parametrize("rest", [0.0, 1.0])
def test_the_bvh_moves_as_the_gltf_does(tmp_path, suffix, rest):
    path = tmp_path / f"walk{suffix}"
    expected = write_glb(path, rest=rest)
    bvh = tmp_path / "walk.bvh"
    bvh.write_text(bvh_text(read_gltf(path, fps=2.0)))
    motion, found = joints_of_bvh(bvh)
    names = [line.split()[1] for line in bvh.read_text().splitlines() if "mixamorig" in line]
    order = [f"mixamorig:{name}" for name in SKELETON]
    np.testing.assert_allclose(found[:, [names.index(name) for name in order]], expected, atol=1e-3)
    assert motion.joints["left_collar"] != motion.joints["left_shoulder"]


def test_an_armature_above_the_root_turns_and_scales_it(tmp_path):
    turn = Rotation.from_euler("x", -90, degrees=True)
    path = tmp_path / "walk.glb"
    expected = write_glb(path, rest=0.5, armature=(turn, 0.01))
    motion = read_gltf(path, fps=2.0)
    np.testing.assert_allclose(motion.root, expected[:, 0], atol=1e-6)
    hips, foot = motion.names.index("mixamorig:Hips"), motion.names.index("mixamorig:LeftFoot")
    assert motion.parents[hips] == -1
    leg = np.linalg.norm(motion.offsets[foot])
    assert leg == pytest.approx(0.42, abs=1e-6)


def test_rotations_between_keys_are_slerped(tmp_path):
    path = tmp_path / "walk.glb"
    write_glb(path, rest=0.4)
    keys, fine = read_gltf(path, fps=2.0), read_gltf(path, fps=4.0)
    assert len(fine.root) == 5
    for coarse, dense in zip(keys.rotations, fine.rotations, strict=True):
        assert (coarse[0].inv() * dense[0]).magnitude() < 1e-6
        half, whole = (coarse[0].inv() * dense[1]), (coarse[0].inv() * coarse[1])
        assert half.magnitude() == pytest.approx(whole.magnitude() / 2, abs=1e-6)


def test_a_buffer_outside_the_folder_is_refused(tmp_path):
    inside = tmp_path / "motions"
    inside.mkdir()
    (tmp_path / "secret.bin").write_bytes(b"0" * 100000)
    path = inside / "walk.gltf"
    write_glb(path, rest=0.0, uri="../secret.bin")
    with pytest.raises(UserError, match="lies outside its folder"):
        read_gltf(path)


def test_faults_are_one_message(tmp_path):
    path = tmp_path / "walk.glb"
    write_glb(path, rest=0.0)
    with pytest.raises(UserError, match=r"no animation called 'run' \(it has: walk\)"):
        read_gltf(path, animation="run")
    content = path.read_bytes()
    for cut in range(0, len(content), 97):
        path.write_bytes(content[:cut])
        with pytest.raises(UserError, match=r"walk\.glb"):
            read_gltf(path)
    path.write_bytes(content.replace(b'"count": 3', b'"count": 9'))
    with pytest.raises(UserError, match="not a readable glTF"):
        read_gltf(path)
    two = {"Other": (None, (0, 0, 0))} | SKELETON
    write_glb(path, rest=0.0, skeleton=two)
    with pytest.raises(UserError, match="one root, found 2"):
        read_gltf(path)


def test_uneven_scale_is_refused(tmp_path):
    path = tmp_path / "walk.gltf"
    write_glb(path, rest=0.0)
    document = json.loads(path.read_text())
    document["nodes"][0]["scale"] = [1.0, 2.0, 1.0]
    path.write_text(json.dumps(document))
    with pytest.raises(UserError, match="scaled unevenly"):
        read_gltf(path)


def test_the_script_writes_one_bvh_a_file(tmp_path):
    motions = tmp_path / "in"
    motions.mkdir()
    write_glb(motions / "walk.glb", rest=0.2)
    write_glb(motions / "jump.gltf", rest=0.2)
    command = [sys.executable, "scripts/convert_gltf.py", "--motions", str(motions)]
    done = subprocess.run(
        [*command, "--output", str(tmp_path / "out")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == ["jump.bvh", "walk.bvh"]
    motion, _ = joints_of_bvh(tmp_path / "out" / "walk.bvh")
    assert motion.times[-1] == pytest.approx(1.0, abs=1e-4)
    assert isinstance(motion.root, torch.Tensor)
    missing = subprocess.run(
        [*command[:2], "--motions", str(tmp_path), "--output", str(tmp_path / "none")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert missing.returncode == 2 and "no motions" in missing.stderr
    assert not (tmp_path / "none").exists()
