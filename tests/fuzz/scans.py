"""Readers of captured people: OBJ, texture and fit in both layouts."""

import json
import pickle

import numpy as np
from PIL import Image
from tiny_body import smpl_arrays
from tiny_captures import write_thuman

from fuzz.reader import Reader
from poseloop.body.model import BodyModel
from poseloop.data.capture_config import CaptureSetConfig
from poseloop.data.captured import find_captures, read_capture

_SCAN = "0001"


def _body():
    arrays = smpl_arrays()
    arrays["parts"] = np.repeat(np.arange(24, dtype=np.int8), 6)
    return BodyModel({**arrays, "regions": np.zeros(144, np.int8)})


def _thuman(folder):
    write_thuman(folder, _SCAN, _body())


def _custom(folder):
    write_thuman(folder / "made", _SCAN, _body())
    fit = pickle.loads((folder / f"made/smplx/{_SCAN}/smplx_param.pkl").read_bytes())
    for part in ("mesh/0003", "smplx/0003"):
        (folder / part).mkdir(parents=True)
    mesh = (folder / f"made/model/{_SCAN}/{_SCAN}.obj").read_text()
    (folder / "mesh/0003/mesh-f00101.obj").write_text(mesh)
    Image.new("RGB", (4, 4), (200, 40, 40)).save(folder / "mesh/0003/mesh-f00101.png")
    values = {name: value.tolist() for name, value in fit.items()}
    (folder / "smplx/0003/mesh-f00101_smplx.json").write_text(json.dumps(values))


def _read(kind):
    def read(folder):
        entry = CaptureSetConfig(kind=kind, path=str(folder))
        for path in find_captures(entry.path, entry.kind).values():
            read_capture(path, entry.kind).pixels()

    return read


READERS = (
    Reader("scan-thuman21-obj", _thuman, _read("thuman21"), ("model/*/*.obj",)),
    Reader("scan-thuman21-fit", _thuman, _read("thuman21"), ("smplx/*/*.pkl",)),
    Reader("scan-thuman21-texture", _thuman, _read("thuman21"), ("model/*/*.jpeg",)),
    Reader("scan-customhumans-obj", _custom, _read("customhumans"), ("mesh/*/*.obj",)),
    Reader("scan-customhumans-fit", _custom, _read("customhumans"), ("smplx/*/*.json",)),
    Reader("scan-customhumans-texture", _custom, _read("customhumans"), ("mesh/*/*.png",)),
)
