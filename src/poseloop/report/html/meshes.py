"""Meshes for the viewer: visual hulls of the methods' views beside the true surface."""

import base64
from collections.abc import Iterable, Mapping

import numpy as np

from poseloop.evaluate.config import EvaluateConfig
from poseloop.evaluate.hull import visual_hull
from poseloop.evaluate.masks import soft_masks

# Positions lie in [-0.5, 0.5] and are sent as 16-bit integers.
_SCALE = 65535


def pack(vertices: np.ndarray, faces: np.ndarray) -> dict[str, str]:
    """A mesh as base64 text: positions as uint16 over [-0.5, 0.5], faces as uint32.

    Parameters
    ----------
    vertices : (V, 3) array
        View frame, normalised units.
    faces : (F, 3) array
    """
    positions = np.round((np.clip(vertices, -0.5, 0.5) + 0.5) * _SCALE).astype("<u2")
    return {
        "positions": base64.b64encode(positions.tobytes()).decode(),
        "faces": base64.b64encode(faces.astype("<u4").tobytes()).decode(),
    }


def mesh_sets(
    benchmark: Mapping[str, np.ndarray],
    sources: Mapping[str, Mapping[str, np.ndarray]],
    subjects: Iterable[int],
    config: EvaluateConfig,
) -> list[dict]:
    """One entry per subject: its number and its meshes by name, truth last.

    Parameters
    ----------
    benchmark : mapping
        `vertices` (N, V, 3) in the view frame, normalised units; `faces` (F, 3); `azimuths` (K,).
    sources : mapping
        Method's name to its `rgb` and `normal` (N, K, S, S, 3) uint8.
    """
    entries = []
    for subject in map(int, subjects):
        meshes = []
        for name, pictures in sources.items():
            masks = soft_masks(
                pictures["rgb"][subject], pictures["normal"][subject], config.images.colour_contrast
            )
            mesh = visual_hull(masks, benchmark["azimuths"], config.hull)
            meshes.append({"name": name} | pack(mesh.vertices, mesh.faces))
        truth = pack(benchmark["vertices"][subject], benchmark["faces"])
        entries.append({"subject": subject, "meshes": [*meshes, {"name": "truth"} | truth]})
    return entries
