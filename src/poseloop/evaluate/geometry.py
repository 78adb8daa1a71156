"""Distances between a predicted and a true surface, as they are and after rigid alignment.

The protocol follows the evaluators of ICON and SiTH (fact sheet 3): the same number of samples
on either surface, exact point-to-triangle distances, Chamfer as the mean of both directions, in
centimetres.
"""

import igl
import numpy as np
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from poseloop.evaluate.config import Geometry
from poseloop.evaluate.hull import Mesh


def icp(source: np.ndarray, target: np.ndarray, iterations: int) -> tuple[np.ndarray, np.ndarray]:
    """Rigid motion of `source` onto `target` by point-to-point ICP with a fixed iteration count.

    Starts at the difference of the centroids. No scale: the size of a body is part of the error.

    Parameters
    ----------
    source, target : (P, 3), (Q, 3) arrays

    Returns
    -------
    rotation : (3, 3) array
    translation : (3,) array
        ``source @ rotation.T + translation`` lies on the target.
    """
    tree = cKDTree(target)
    centre = source.mean(0)
    rotation, translation = np.eye(3), target.mean(0) - centre
    for _ in range(iterations):
        _, nearest = tree.query(source @ rotation.T + translation)
        matched = target[nearest]
        middle = matched.mean(0)
        turn, _ = Rotation.align_vectors(matched - middle, source - centre)
        rotation = turn.as_matrix()
        translation = middle - rotation @ centre
    return rotation, translation


class TrueSurface:
    """A true mesh with its surface samples, ready to be compared with several predictions.

    Parameters
    ----------
    vertices : (V, 3) array
        Normalised view frame.
    faces : (F, 3) array
    metres_per_unit : float
    config : Geometry
    rng : numpy Generator
        Stream of the samples.
    """

    def __init__(
        self,
        vertices: np.ndarray,
        faces: np.ndarray,
        metres_per_unit: float,
        config: Geometry,
        rng: np.random.Generator,
    ) -> None:
        self.config = config
        self.scale = float(metres_per_unit) * 100
        self.surface = _Surface(vertices * self.scale, faces)
        self.points, self.normals = self.surface.sample(config.samples, rng)

    def compare(self, mesh: Mesh, rng: np.random.Generator) -> dict[str, float]:
        """Metrics of a prediction, plain and with the suffix `_icp` after rigid alignment.

        Parameters
        ----------
        mesh : Mesh
            Normalised view frame.
        rng : numpy Generator
            Stream of the prediction's samples.

        Returns
        -------
        dict
            `chamfer`, `p2s` (prediction to truth), `s2p` (truth to prediction), centimetres;
            `normal_consistency`, mean cosine of nearest normals over both directions; `f_score`,
            percent; and each with `_icp`.
        """
        predicted = _Surface(mesh.vertices * self.scale, mesh.faces)
        points, normals = predicted.sample(self.config.samples, rng)
        motion = icp(points, self.points, self.config.icp_iterations)
        plain = self._metrics(predicted, points, normals, np.eye(3), np.zeros(3))
        aligned = self._metrics(predicted, points, normals, *motion)
        return plain | {f"{name}_icp": value for name, value in aligned.items()}

    def _metrics(
        self,
        predicted: "_Surface",
        points: np.ndarray,
        normals: np.ndarray,
        turn: np.ndarray,
        shift: np.ndarray,
    ) -> dict[str, float]:
        """Metrics after moving the prediction; its search tree stays and the truth moves back."""
        forth, near = self.surface.nearest(points @ turn.T + shift)
        cosine_forth = (normals @ turn.T * near).sum(-1)
        back, near = predicted.nearest((self.points - shift) @ turn)
        cosine_back = (self.normals @ turn * near).sum(-1)
        precision, recall = (np.mean(d < self.config.f_score_cm) for d in (forth, back))
        return {
            "chamfer": float((forth.mean() + back.mean()) / 2),
            "p2s": float(forth.mean()),
            "s2p": float(back.mean()),
            "normal_consistency": float((cosine_forth.mean() + cosine_back.mean()) / 2),
            "f_score": float(200 * precision * recall / max(precision + recall, 1e-12)),
        }


class _Surface:
    """A triangle mesh with its normals and a search tree."""

    def __init__(self, vertices: np.ndarray, faces: np.ndarray) -> None:
        self.vertices = np.ascontiguousarray(vertices, dtype=np.float64)
        self.faces = np.ascontiguousarray(faces, dtype=np.int64)
        corners = self.vertices[self.faces]
        self.cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        self.area = np.linalg.norm(self.cross, axis=-1)
        self.normals = self.cross / np.maximum(self.area, 1e-12)[:, None]
        self.tree = igl.AABB()
        self.tree.init(self.vertices, self.faces)

    def sample(self, count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Points spread evenly by area, stratified, and the unit normals of their triangles."""
        edges = np.cumsum(self.area)
        place = (np.arange(count) + rng.random(count)) / count * edges[-1]
        chosen = np.minimum(np.searchsorted(edges, place, side="right"), len(edges) - 1)
        root, side = np.sqrt(rng.random(count))[:, None], rng.random(count)[:, None]
        a, b, c = self.vertices[self.faces[chosen]].transpose(1, 0, 2)
        return (1 - root) * a + root * (1 - side) * b + root * side * c, self.normals[chosen]

    def nearest(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Distance to the nearest triangle and that triangle's normal."""
        squared, index, _ = self.tree.squared_distance(
            self.vertices, self.faces, np.ascontiguousarray(points)
        )
        return np.sqrt(squared), self.normals[index]
