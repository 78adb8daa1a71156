"""Where a point is on the body: the coordinates in which hair and garments are described."""

from dataclasses import dataclass

import numpy as np

from poseloop.body.joints import JOINT
from poseloop.body.regions import part_ids

_ARM = ("shoulder", "elbow", "wrist", "hand")
_LEG = ("hip", "knee", "ankle", "foot")


@dataclass(frozen=True)
class BodyAtlas:
    """Body coordinates of n points: a body's vertices, or points between them.

    They need only a template, its joints and skinning weights, so they serve every model of the
    SMPL family.

    Parameters
    ----------
    values : (n, 12) float32 array
        The columns that the properties name; linear interpolation between vertices is allowed.
    hip : float
        `height` of the hip joints.
    """

    values: np.ndarray
    hip: float

    @property
    def position(self) -> np.ndarray:
        """Place in T-pose (n, 3), metres; z = 0 at the chest's joint."""
        return self.values[:, :3]

    @property
    def height(self) -> np.ndarray:
        """0 at the ankles, 1 at the neck (n,)."""
        return self.values[:, 3]

    @property
    def reach(self) -> np.ndarray:
        """Along the arms, 0 at the shoulders, 1 at the wrists (n,)."""
        return self.values[:, 4]

    @property
    def in_head(self) -> np.ndarray:
        """Place in the head's box, each axis from -1 to 1 (n, 3)."""
        return self.values[:, 5:8]

    @property
    def head(self) -> np.ndarray:
        """Whether on the head (n,)."""
        return self.values[:, 8] > 0.5

    @property
    def arm(self) -> np.ndarray:
        """Whether on an arm or hand (n,)."""
        return self.values[:, 9] > 0.5

    @property
    def leg(self) -> np.ndarray:
        """Whether on a leg or foot (n,)."""
        return self.values[:, 10] > 0.5

    @property
    def foot(self) -> np.ndarray:
        """Whether on the front of a foot (n,)."""
        return self.values[:, 11] > 0.5

    @property
    def torso(self) -> np.ndarray:
        """Whether on trunk or neck (n,)."""
        return ~(self.head | self.arm | self.leg)


def make_atlas(template: np.ndarray, joints: np.ndarray, weights: np.ndarray) -> BodyAtlas:
    """Atlas of a body's vertices.

    Parameters
    ----------
    template : (V, 3) array
        Vertices of the mean shape in T-pose, metres, y up, facing +z.
    joints : (24, 3) array
        SMPL's joints of the same shape.
    weights : (V, 24) array
        Skinning weights; the largest names a vertex's part.
    """
    parts = part_ids(weights)
    arm, leg, foot = (_on(parts, names) for names in (_ARM, _LEG, ("foot",)))
    head = parts == JOINT["head"]
    ankle, neck = joints[JOINT["left_ankle"], 1], joints[JOINT["neck"], 1]
    shoulder, wrist = (abs(joints[JOINT[name], 0]) for name in ("left_shoulder", "left_wrist"))
    low, high = template[head].min(axis=0), template[head].max(axis=0)
    columns = [
        template[:, :2],
        template[:, 2:] - joints[JOINT["spine3"], 2],
        (template[:, 1:2] - ankle) / (neck - ankle),
        (np.abs(template[:, :1]) - shoulder) / (wrist - shoulder),
        (template - (low + high) / 2) / ((high - low) / 2),
        np.stack([head, arm, leg, foot], axis=1),
    ]
    hip = (joints[JOINT["left_hip"], 1] - ankle) / (neck - ankle)
    return BodyAtlas(np.concatenate(columns, axis=1).astype(np.float32), float(hip))


def _on(parts: np.ndarray, names: tuple[str, ...]) -> np.ndarray:
    """Whether each vertex's part (V,) is one of the joints `names`, left or right."""
    return np.isin(parts, [JOINT[f"{side}_{name}"] for side in ("left", "right") for name in names])
