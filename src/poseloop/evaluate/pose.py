"""The judge as evaluation uses it: views to joints to errors."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import roma
import torch

from poseloop.evaluate.config import Triangulation
from poseloop.evaluate.judge import Judge, judge_input
from poseloop.evaluate.triangulation import triangulate
from poseloop.runtime.rebuilding import rebuilding
from poseloop.runtime.refusing import refusing
from poseloop.runtime.weights import load_into, read_weights, write_weights


@dataclass(frozen=True)
class PoseJudge:
    """A trained judge with the settings of its verdict.

    Attributes
    ----------
    network : Judge
        In evaluation mode.
    triangulation : Triangulation
    pck_mm : float
        Threshold of PCK, millimetres after root alignment.
    """

    network: Judge
    triangulation: Triangulation
    pck_mm: float

    @torch.no_grad()
    def joints(
        self, rgb: np.ndarray, normal: np.ndarray, azimuths: np.ndarray, batch: int
    ) -> np.ndarray:
        """Joints that the judge sees in the views of N subjects.

        Parameters
        ----------
        rgb, normal : (N, K, S, S, 3) uint8 arrays
            Normals in the input-view frame.
        azimuths : (K,) array
            Degrees.
        batch : int
            Subjects at once.

        Returns
        -------
        (N, 24, 3) float32 array
            View frame, normalised units.
        """
        joints = []
        for start in range(0, len(rgb), batch):
            part = slice(start, start + batch)
            pictures = judge_input(rgb[part], normal[part], azimuths)
            flat = pictures.flatten(0, 1).contiguous(memory_format=torch.channels_last)
            heat, depth = (
                out.contiguous().unflatten(0, pictures.shape[:2]) for out in self.network(flat)
            )
            bones = self.network.bones
            joints += [
                triangulate(*maps, azimuths, bones, self.triangulation).numpy()
                for maps in zip(heat, depth, strict=True)
            ]
        return np.stack(joints)

    def errors(
        self, joints: np.ndarray, truth: np.ndarray, metres_per_unit: np.ndarray
    ) -> dict[str, np.ndarray]:
        """Joint errors per subject.

        Parameters
        ----------
        joints, truth : (N, 24, 3) arrays
            Normalised view frame; joint 0 is the root.
        metres_per_unit : (N,) array

        Returns
        -------
        dict of (N,) arrays
            `judge_mpjpe`, root-aligned, and `judge_pa_mpjpe`, after similarity alignment,
            millimetres; `judge_pck`, percent of root-aligned joints (the root left out) within
            the threshold.
        """
        scale = 1000 * np.asarray(metres_per_unit, dtype=np.float64)[:, None, None]
        a = np.asarray(joints, dtype=np.float64) * scale
        b = np.asarray(truth, dtype=np.float64) * scale
        a, b = a - a[:, :1], b - b[:, :1]
        error = np.linalg.norm(a - b, axis=-1)
        source, target = torch.from_numpy(a), torch.from_numpy(b)
        turn, shift, size = roma.rigid_points_registration(source, target, compute_scaling=True)
        moved = size[:, None, None] * (source @ turn.mT) + shift[:, None]
        return {
            "judge_mpjpe": error.mean(1),
            "judge_pa_mpjpe": (moved - target).norm(dim=-1).mean(1).numpy(),
            "judge_pck": 100 * (error[:, 1:] < self.pck_mm).mean(1),
        }

    def save(self, path: str | Path) -> None:
        """Write weights and settings as one safetensors file."""
        settings = {
            "network": self.network.settings,
            "triangulation": self.triangulation.model_dump(),
            "pck_mm": self.pck_mm,
        }
        write_weights(path, self.network.state_dict(), settings)


def load_judge(path: str | Path) -> PoseJudge:
    """Read what `PoseJudge.save` wrote.

    Raises
    ------
    UserError
        The file is missing, is no judge, or does not fit its own settings.
    """
    state, settings = read_weights(path)
    with rebuilding(path, state), refusing(path, "not the weights of a pose judge"):
        network = Judge(**settings["network"])
        triangulation = Triangulation.model_validate(settings["triangulation"])
        threshold = float(settings["pck_mm"])
    load_into(network, state, path)
    network.eval().to(memory_format=torch.channels_last)
    return PoseJudge(network, triangulation, threshold)
