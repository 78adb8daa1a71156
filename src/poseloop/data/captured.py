"""Captured people: textured scans with SMPL-X fits, from THuman2.1 and CustomHumans.

THuman2.1 (ytrock/THuman2.0-Dataset, README and issue 23):
    <folder>/model/<scan>/<scan>.obj and material0.jpeg, <folder>/smplx/<scan>/smplx_param.pkl.
    Scans have a scale of their own: scan = SMPL-X * `scale` + `translation`. Hands are 12
    principal components, in part of the later scans 45 angles, from SMPL-X's curved mean hand.
CustomHumans (custom-humans/editable-humans, README and tools/load_json_to_smplx.py):
    <folder>/mesh/<subject>/mesh-f<frame>.obj and .png,
    <folder>/smplx/<subject>/mesh-f<frame>.json (or mesh-f<frame>_smplx.json). Scans are in metres
    with the pelvis joint at the origin and without root rotation; hands are 12 principal
    components from the flat hand.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import trimesh

from poseloop.body.safe_pickle import read_pickled_arrays
from poseloop.runtime.errors import UserError
from poseloop.runtime.files import read_json, require_file
from poseloop.runtime.pictures import read_picture
from poseloop.runtime.refusing import refusing

_SIZES = {
    "betas": (10,),
    "body_pose": (63,),
    "left_hand_pose": (12, 45),
    "right_hand_pose": (12, 45),
    "jaw_pose": (3,),
    "expression": (10,),
}

# In the scan's own unit.
_FARTHEST = 1e9


@dataclass(frozen=True)
class SmplxFit:
    """SMPL-X parameters of a scan, float32; angles in radians, axis-angle.

    betas, expression : (10,)
    global_orient : (3,)
    body_pose : (63,)
    left_hand_pose, right_hand_pose : (12,) principal components or (45,)
    jaw_pose : (3,)
    flat_hand_mean : bool
        Whether a hand of zeros is flat, or SMPL-X's mean hand.
    pelvis_at_origin : bool
        Whether the posed body has to be moved until its pelvis joint is at the origin.
    """

    betas: np.ndarray
    global_orient: np.ndarray
    body_pose: np.ndarray
    left_hand_pose: np.ndarray
    right_hand_pose: np.ndarray
    jaw_pose: np.ndarray
    expression: np.ndarray
    flat_hand_mean: bool
    pelvis_at_origin: bool


@dataclass(frozen=True)
class Capture:
    """A scan in the metres and axes of its fit, y up.

    vertices : (V, 3) float32
        Doubled along the seams of the texture.
    faces : (F, 3) int32
    uv : (V, 2) float32
        Place in the texture, v up from the picture's lower edge.
    texture : path of the picture
    """

    name: str
    vertices: np.ndarray
    faces: np.ndarray
    uv: np.ndarray
    texture: Path
    fit: SmplxFit

    def pixels(self) -> np.ndarray:
        """The texture (H, W, 3) uint8.

        Raises
        ------
        UserError
            It is no picture.
        """
        return np.asarray(read_picture(self.texture, "RGB"))


def find_captures(folder: str | Path, kind: str) -> dict[str, Path]:
    """Meshes of a `thuman21` or `customhumans` folder, by the names that `read_capture` gives.

    Raises
    ------
    UserError
        The folder is laid out otherwise.
    """
    folder = Path(folder)
    pattern = {"thuman21": "model/*/*.obj", "customhumans": "mesh/*/mesh-f*.obj"}[kind]
    found = {
        _name(path, kind): path
        for path in sorted(folder.glob(pattern))
        if kind == "customhumans" or path.stem == path.parent.name
    }
    if not found:
        raise UserError(f"{folder}: no {kind} scans there ({pattern})")
    return found


def read_capture(mesh: str | Path, kind: str) -> Capture:
    """Read the scan in `mesh`, one of `find_captures`, its texture's place and its fit.

    Only the files that the layout names are read: what the OBJ itself refers to is not.

    Raises
    ------
    UserError
        A file is missing or damaged, the mesh has no texture coordinates, or a parameter is
        missing, of the wrong size or not finite.
    """
    mesh = require_file(mesh, "scan")
    fits = mesh.parents[2] / "smplx" / mesh.parent.name
    if kind == "thuman21":
        path, texture = fits / "smplx_param.pkl", mesh.with_name("material0.jpeg")
        values = read_pickled_arrays(path)
        scale = float(_numbers(path, values, "scale", (1,))[0])
        shift = _numbers(path, values, "translation", (3,))
        if not scale > 0:
            raise UserError(f"{path}: scale is {scale}, not above 0")
        orient = _numbers(path, values, "global_orient", (3,))
    else:
        path, texture = fits / f"{mesh.stem}_smplx.json", mesh.with_suffix(".png")
        path = path if path.is_file() else fits / f"{mesh.stem}.json"
        values = read_json(path)
        if not isinstance(values, dict):
            raise UserError(f"{path}: not a JSON object")
        scale, shift, orient = 1.0, np.zeros(3, np.float32), np.zeros(3, np.float32)
    parameters = {name: _numbers(path, values, name, sizes) for name, sizes in _SIZES.items()}
    vertices, faces, uv = _read_mesh(mesh)
    return Capture(
        name=_name(mesh, kind),
        vertices=((vertices - shift) / scale).astype(np.float32),
        faces=faces,
        uv=uv,
        texture=require_file(texture, "texture"),
        fit=SmplxFit(
            **parameters,
            global_orient=orient,
            flat_hand_mean=kind == "customhumans",
            pelvis_at_origin=kind == "customhumans",
        ),
    )


def _name(mesh: Path, kind: str) -> str:
    """`0012` of THuman2.1; of CustomHumans the subject and frame, as in `0003_f00101`."""
    if kind == "thuman21":
        return mesh.stem
    return f"{mesh.parent.name}_{re.sub('^mesh-', '', mesh.stem)}"


def _numbers(path: Path, values: dict, name: str, sizes: tuple[int, ...]) -> np.ndarray:
    if name not in values:
        raise UserError(f"{path}: lacks {name}")
    with refusing(path, f"{name}: not numbers"), np.errstate(over="ignore"):
        numbers = np.asarray(values[name], np.float32).ravel()
    if numbers.size not in sizes:
        wanted = " or ".join(map(str, sizes))
        raise UserError(f"{path}: {name} holds {numbers.size} numbers, not {wanted}")
    if not np.isfinite(numbers).all():
        raise UserError(f"{path}: {name} has values that are not finite")
    return numbers


def _read_mesh(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Vertices (V, 3), faces (F, 3) and texture coordinates (V, 2) of an OBJ."""
    with refusing(path, "not a readable OBJ"):
        with path.open() as stream:
            mesh = trimesh.load(
                stream, file_type="obj", skip_materials=True, process=False, force="mesh"
            )
        uv = getattr(mesh.visual, "uv", None)
        if uv is None or len(mesh.faces) == 0:
            raise UserError(f"{path}: no faces with texture coordinates")
        vertices = np.asarray(mesh.vertices, np.float64)
        faces, uv = np.asarray(mesh.faces, np.int32), np.asarray(uv, np.float32)
        if vertices.shape[1:] != (3,) or faces.shape[1:] != (3,):
            raise ValueError("vertices without three coordinates")
    if faces.min() < 0 or faces.max() >= len(vertices) or uv.shape != (len(vertices), 2):
        raise UserError(f"{path}: faces name vertices that do not exist")
    # In single precision, as they are kept, and with room to be squared.
    if not (np.abs(vertices) < _FARTHEST).all() or not np.isfinite(uv).all():
        raise UserError(f"{path}: vertices or texture coordinates that are not finite")
    return vertices, faces, uv
