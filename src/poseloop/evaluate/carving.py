"""Carved meshes beside the visual hulls of the same views, by the same measures."""

from collections.abc import Mapping, Sequence

import numpy as np

from poseloop.evaluate.config import EvaluateConfig
from poseloop.evaluate.geometry import TrueSurface
from poseloop.evaluate.hull import Mesh, visual_hull
from poseloop.evaluate.masks import soft_masks
from poseloop.evaluate.protocol import Arrays, Table
from poseloop.reconstruct.body_fit import KINDS
from poseloop.reconstruct.subject import Carved
from poseloop.runtime.seeds import numpy_rng


def carving_metrics(
    carved: Mapping[int, Carved],
    rgb: np.ndarray,
    normal: np.ndarray,
    benchmark: Arrays,
    config: EvaluateConfig,
) -> dict[str, Table]:
    """Geometry of carved meshes, of the fitted bodies and of the hulls of the same views.

    Samples are drawn as `protocol.shape_metrics` draws them: a hull has the same values here.

    Parameters
    ----------
    carved : mapping
        Row of the benchmark to the mesh.
    rgb, normal : (N, K, S, S, 3) uint8 arrays
        The views that were carved.

    Returns
    -------
    dict
        `hull`, `body` and `carving`, each metric to one value per carved subject, in their order.
    """
    tables: dict[str, Table] = {"hull": {}, "body": {}, "carving": {}}
    for row, subject in carved.items():
        surface = TrueSurface(
            benchmark["vertices"][row],
            benchmark["faces"],
            benchmark["metres_per_unit"][row],
            config.geometry,
            numpy_rng(config.seed, "surface", "truth", row),
        )
        masks = soft_masks(rgb[row], normal[row], config.images.colour_contrast)
        meshes = {
            "hull": visual_hull(masks, benchmark["azimuths"], config.hull),
            "body": Mesh(subject.body.astype(float), benchmark["faces"]),
            "carving": Mesh(subject.vertices.astype(float), subject.faces),
        }
        for name, mesh in meshes.items():
            rng = numpy_rng(config.seed, "surface", "prediction", row)
            for metric, value in surface.compare(mesh, rng).items():
                tables[name].setdefault(metric, []).append(value)
    return tables


def summarise_starts(carved: Sequence[Carved]) -> dict[str, dict[str, float]]:
    """How each kind of start pose did in the trials of the body fit.

    Returns
    -------
    dict
        Of every kind that was tried: `tried` and `chosen`, numbers of subjects, and `loss`, the
        mean of its best trials.
    """
    losses = np.array([subject.fit[0, : len(KINDS)] for subject in carved]).reshape(-1, len(KINDS))
    tried = np.isfinite(losses)
    chosen = np.bincount(losses.argmin(1), minlength=len(KINDS)) if len(losses) else []
    return {
        kind: {
            "tried": int(tried[:, column].sum()),
            "chosen": int(chosen[column]),
            "loss": round(float(losses[tried[:, column], column].mean()), 4),
        }
        for column, kind in enumerate(KINDS)
        if tried[:, column].any()
    }
