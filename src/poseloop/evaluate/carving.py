"""Carved meshes beside the visual hulls of the same views, by the same measures."""

from collections.abc import Sequence

import numpy as np

from poseloop.evaluate.config import EvaluateConfig
from poseloop.evaluate.geometry import TrueSurface
from poseloop.evaluate.hull import Mesh
from poseloop.evaluate.protocol import Arrays, Table, shape_metrics
from poseloop.reconstruct.subject import Carved
from poseloop.runtime.seeds import numpy_rng


def carving_metrics(
    carved: Sequence[Carved | str],
    rgb: np.ndarray,
    normal: np.ndarray,
    benchmark: Arrays,
    config: EvaluateConfig,
) -> dict[str, Table]:
    """Geometry of carved meshes, of the bodies they start from and of hulls.

    Subjects that were not carved are in no table, so that all three speak of the same people.

    Parameters
    ----------
    carved : N subjects, or why one has no mesh
    rgb, normal : (N, K, S, S, 3) uint8 arrays
        The views that were carved.

    Returns
    -------
    dict
        `hull`, `body` and `carving`, each metric to one value per carved subject.
    """
    kept = [index for index, subject in enumerate(carved) if isinstance(subject, Carved)]
    tables: dict[str, Table] = {"body": {}, "carving": {}}
    for index in kept:
        subject = carved[index]
        surface = TrueSurface(
            benchmark["vertices"][index],
            benchmark["faces"],
            benchmark["metres_per_unit"][index],
            config.geometry,
            numpy_rng(config.seed, "surface", "truth", index),
        )
        meshes = {
            "body": Mesh(subject.body.astype(float), benchmark["faces"]),
            "carving": Mesh(subject.vertices.astype(float), subject.faces),
        }
        for name, mesh in meshes.items():
            rng = numpy_rng(config.seed, "surface", "prediction", index)
            for metric, value in surface.compare(mesh, rng).items():
                tables[name].setdefault(metric, []).append(value)
    hull = shape_metrics(rgb, normal, benchmark, config)
    tables["hull"] = {metric: [values[index] for index in kept] for metric, values in hull.items()}
    return tables
