"""Rest shapes of the open body Anny (package `anny`; Apache-2.0 code, CC0 assets)."""

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch

_MIXAMO_24 = (
    ("Hips", "LeftUpLeg", "RightUpLeg", "Spine", "LeftLeg", "RightLeg", "Spine1", "LeftFoot")
    + ("RightFoot", "Spine2", "LeftToeBase", "RightToeBase", "Neck", "LeftShoulder")
    + ("RightShoulder", "Head", "LeftArm", "RightArm", "LeftForeArm", "RightForeArm")
    + ("LeftHand", "RightHand", "LeftHandMiddle1", "RightHandMiddle1")
)
"""Bones of the mixamo rig at SMPL's joints, in SMPL's order."""


@dataclass(frozen=True)
class RestShapes:
    """People in Anny's own rest pose; metres, y up, facing +z, left is +x.

    vertices (N, V, 3), joints (N, 24, 3), faces (F, 3) int, weights (V, 24) summing to one.
    """

    vertices: np.ndarray
    joints: np.ndarray
    faces: np.ndarray
    weights: np.ndarray


def read_rest_shapes(phenotypes: dict[str, np.ndarray]) -> RestShapes:
    """Shapes of the people whose phenotype values are given, one array (N,) for each phenotype."""
    import anny  # slow to import, and only the bake needs it

    with _direct_reading(), torch.no_grad():
        model = anny.Anny(rig="mixamo", topology="anny-notongue", phenotype_blendshapes="original")
        coefficients = model.get_phenotype_blendshape_coefficients(
            **{name: torch.from_numpy(values) for name, values in phenotypes.items()}
        )
        rest = model.get_rest_model(coefficients)
        bones = [label.removeprefix("mixamorig:") for label in model.bone_labels]
        source = [bones.index(name) for name in _MIXAMO_24]
        return RestShapes(
            _y_up(rest["rest_vertices"].numpy()),
            _y_up(rest["rest_bone_heads"][:, source].numpy()),
            model.get_triangular_faces().numpy(),
            _collapse_weights(
                model.vertex_bone_indices.numpy(),
                model.vertex_bone_weights.numpy(),
                [_owner(bone, bones, list(model.bone_parents)) for bone in range(len(bones))],
            ),
        )


def _y_up(points: np.ndarray) -> np.ndarray:
    return np.stack([points[..., 0], points[..., 2], -points[..., 1]], axis=-1)


def _owner(bone: int, bones: list[str], parents: list[int]) -> int:
    """SMPL joint that moves a bone: the finger bones go with the hand."""
    while bones[bone] not in _MIXAMO_24:
        side = bones[bone].partition("Hand")[0]
        if side in ("Left", "Right"):
            return _MIXAMO_24.index(f"{side}HandMiddle1")
        bone = parents[bone]
    return _MIXAMO_24.index(bones[bone])


def _collapse_weights(indices: np.ndarray, values: np.ndarray, owners: list[int]) -> np.ndarray:
    weights = np.zeros((len(indices), 24))
    rows = np.arange(len(indices))[:, None]
    np.add.at(weights, (rows, np.asarray(owners)[indices]), values)
    return weights / weights.sum(1, keepdims=True)


def _read_target(filename, vertices_count, world_transformation, dtype):
    """Same as `anny.models.full_model.load_blend_shape`, with NumPy's parser."""
    with gzip.open(filename) as stream:
        rows = np.fromstring(stream.read(), sep=" ").reshape(-1, 4)
    offsets = np.zeros((vertices_count, 3))
    offsets[rows[:, 0].astype(int)] = rows[:, 1:]
    return world_transformation.apply(torch.from_numpy(offsets).to(dtype))


@contextmanager
def _direct_reading() -> Iterator[None]:
    """Let Anny read its files fast and without its cache.

    Anny parses its 1,100 target files line by line (115 s) and then keeps 760 MB in the home
    folder; read in blocks they take a few seconds, and nothing is left behind.
    """
    from anny.models import full_model, model_data

    replaced = [
        (full_model, "load_blend_shape", _read_target),
        (model_data, "get_anny_cache_path", lambda: None),
    ]
    originals = [(module, name, getattr(module, name)) for module, name, _ in replaced]
    try:
        for module, name, substitute in replaced:
            setattr(module, name, substitute)
        yield
    finally:
        for module, name, original in originals:
            setattr(module, name, original)
